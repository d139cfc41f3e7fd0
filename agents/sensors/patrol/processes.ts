/**
 * Processes that use the processor most, each by its share of one since the look before. What it waited for a processor counts, too:
 * on a busy machine one that runs away gets a part of what it would take.
 */

import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks for processes that run away";
/** Those that used most since they began; one that runs away is among them soon. */
const looked_at = 50;
/** Who uses less is not told. */
const told_ratio_min = 0.2;
/** sched(7): everybody else goes first, so nobody waits for it. */
const gives_way_nice = 19;

export class ProcessPatrol {
  #before: { readonly at_ms: number; readonly wanted_ms: ReadonlyMap<string, number> } | null = null;

  async look(ask: AskTool, now_ms: number): Promise<Figure[]> {
    const { processes } = await ask("process.list", { sort: "cpu", limit: looked_at }, why);
    const key = ({ pid, started_ticks, service }: (typeof processes)[number]): string =>
      `pid:${pid}@${started_ticks}${service === null ? "" : ` of ${service}`}`;
    const before = this.#before;
    this.#before = { at_ms: now_ms, wanted_ms: new Map(processes.map((one) => [key(one), one.cpu_ms + one.waited_ms])) };
    if (before === null || now_ms <= before.at_ms) return [];
    return processes.flatMap((one) => {
      const earlier_ms = before.wanted_ms.get(key(one));
      if (earlier_ms === undefined || one.core || one.nice >= gives_way_nice) return [];
      const value = (one.cpu_ms + one.waited_ms - earlier_ms) / (now_ms - before.at_ms);
      if (value < told_ratio_min) return [];
      const whose = one.service === null ? "of no service" : `of service ${one.service}`;
      return [
        {
          figure: "process.cpu_ratio",
          subject: key(one),
          value,
          detail: `${whose}, ${Math.round(value * 100)} % of a processor`,
          untrusted: one.name,
        },
      ];
    });
  }
}
