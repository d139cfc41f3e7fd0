/** What was declared and is not so any more, by the broker's tools. */

import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks whether the system is as it was declared";

/** Subjects are what was declared: `firewall`, `interface/eth0`, `sysctl/vm.swappiness`. */
export async function driftFigures(ask: AskTool): Promise<Figure[]> {
  const network = await ask("net.declared", {}, why);
  const settings = await ask("sys.declared", {}, why);
  return [
    ...network.drift.map(({ what, detail }) => ({ figure: "drift.network", subject: what, value: 1, detail })),
    ...settings.drift.map(({ what, detail }) => ({ figure: "drift.setting", subject: what, value: 1, detail })),
  ];
}
