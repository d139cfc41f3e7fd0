/** Our system with no playbook in use, and with models instead. */

import { cpSync } from "node:fs";
import { bundled_playbooks } from "../../../agents/playbooks/index.ts";
import { Playbook } from "../../../contracts/playbook.ts";
import { providerInside } from "../../scenarios/container/provider.ts";
import { patientProgram } from "../programs.ts";
import { type Ours, startOurs } from "./system.ts";
import { script } from "./withheld.ts";

export async function startWithout(pace: number): Promise<Ours> {
  const { programs, config } = await providerInside(script);
  cpSync(await patientProgram(), programs, { recursive: true });
  const ours = await startOurs(pace, { programs, config });
  for (const source of Object.values(bundled_playbooks)) {
    const { name } = Playbook.parse(source);
    await ours.aiosctl.done("knowledge.add", { id: `playbooks/stage-${name}`, text: retired(name), reason: "what is not known is tried" });
  }
  // tiers read them again every half minute
  await Bun.sleep(31_000);
  return ours;
}

const retired = (name: string): string => `---
title: The playbook ${name} is out of use
kind: playbook
summary: How the system does without it.
---
## For tiers
It is not tried.

\`\`\`yaml learning
playbook: ${name}
stage: retired
\`\`\`
`;
