/**
 * One incident through its states, from deciding to its end, by the tier that can act on it. Each try is a decision on record.
 *
 *   deciding ─▶ acting ─▶ watching ─▶ learning ─▶ solved
 *      ▲          │ │         │
 *      └──────────┘ ▼         │      a try that was refused, failed or did not help is taken back, and the next one decided;
 *      ▲         waiting      │      when nothing is left the tier above is asked, and then a person has to look (handed-over)
 *      └──────────────────────┘
 */

import { act, approvalCame, watch } from "./act.ts";
import { withdraw } from "./approval.ts";
import { decide } from "./decide.ts";
import type { Held } from "./incidents.ts";
import type { LoopPorts } from "./ports.ts";
import { lastTry, remember, settle } from "./tries.ts";

/** Goes on until the incident has ended, waits for somebody, or is another tier's. @throws when memory or broker is away: nothing is lost */
export async function work(held: Held, ports: LoopPorts): Promise<void> {
  if (!held.item.body.events.some((id) => ports.standing.isOfThisBoot(id))) {
    await leave(held, ports);
    return;
  }
  while (held.item.body.tier === ports.tier) {
    switch (held.item.state) {
      case "deciding":
        await decide(held, ports);
        break;
      case "acting":
        await act(held, ports);
        break;
      case "waiting":
        if (!(await approvalCame(held, ports))) return;
        break;
      case "watching":
        await watch(held, ports);
        break;
      case "learning":
        await learn(held, ports);
        return;
      default:
        return;
    }
  }
}

/**
 * The machine was started anew since. Whether its alarm stands is measured again, and is another incident if so; nobody knows
 * whether what was tried has helped, so it counts neither way.
 */
async function leave(held: Held, ports: LoopPorts): Promise<void> {
  const why = "the machine was started anew before it was over";
  const decision = await lastTry(held, ports);
  const call = held.item.body.waits_for?.call ?? null;
  if (call !== null) await withdraw(call, why, ports.broker);
  if (decision?.outcome.result === "pending") await settle(decision, { result: "suppressed", detail: why }, ports);
  await held.move("parked", why);
}

async function learn(held: Held, ports: LoopPorts): Promise<void> {
  const made = await lastTry(held, ports);
  const taken_back = made?.outcome.result === "overridden" ? made : null;
  if (made !== null && taken_back !== null) {
    const why = `the alarm was cleared, but ${taken_back.outcome.overridden?.by ?? "a person"} took it back`;
    await held.move("solved", why, { lesson: await remember(held, taken_back, "undone", why, ports) });
    return;
  }
  const decision = made?.outcome.result === "done" ? made : null;
  const lesson = decision === null ? null : await remember(held, decision, "worked", "the alarm was cleared", ports);
  const { memories } = held.item.body;
  if (decision !== null && memories.length > 0) await ports.memory().call("used", { ids: memories.slice(0, 50), worked: true });
  await held.move("solved", decision === null ? "it went away by itself" : `${decision.rule} helped`, { lesson });
  if (decision !== null) await ports.learned?.(decision, held.item);
}
