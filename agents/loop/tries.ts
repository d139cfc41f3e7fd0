/** The tries of an incident: what was decided, what came of it, and how it is taken back. */

import type { Decision, Outcome } from "../../contracts/decision.ts";
import type { MemoryOutcome } from "../../contracts/memory/record.ts";
import { takeBack } from "../shared/take-back.ts";
import type { Held } from "./incidents.ts";
import type { LoopPorts } from "./ports.ts";

export const call_limit_ms = 600_000;

/** The last try; null when none was made yet. */
export async function lastTry({ item }: Held, { memory }: LoopPorts): Promise<Decision | null> {
  const id = item.body.decisions.at(-1);
  if (id === undefined) return null;
  const [decision] = await memory().call("decisions.get", { ids: [id] });
  if (decision === undefined) throw new Error(`going on with "${item.id}" failed: memory does not have its decision "${id}"`);
  return decision;
}

export interface NoHelp {
  /** `suppressed`: it could not be made, which says nothing of what it would have come to. */
  readonly result: "failed" | "refused" | "suppressed";
  readonly why: string;
  readonly worse?: boolean;
}

/** What did not help is taken back, as far as it can be, and on record; then the next is decided. */
export async function giveUp(held: Held, decision: Decision, { result, why, worse }: NoHelp, ports: LoopPorts): Promise<void> {
  const { said } = await takeBack(decision.id, `decision ${decision.id} did not help`, ports.broker);
  await settle(decision, { result, detail: `${why}; ${said}`.slice(0, 1000) }, ports);
  if (result !== "suppressed") await remember(held, decision, worse === true ? "worse" : "no-effect", why, ports);
  await held.move("deciding", why.slice(0, 500));
}

/** Another tier's try stays as that tier has left it. */
export async function settle(decision: Decision, outcome: Pick<Outcome, "result" | "detail">, ports: LoopPorts): Promise<void> {
  if (decision.tier !== ports.tier) return;
  const after_ms = Math.max(0, Math.round(ports.boot_ms() - decision.boot_ms));
  await ports.memory().call("decisions.append", { decisions: [{ ...decision, outcome: { ...outcome, after_ms } }] });
}

/** @returns the id of the lesson */
export async function remember(
  { item }: Held,
  decision: Decision,
  outcome: MemoryOutcome,
  why: string,
  { memory, ids, boot_ms, tier }: LoopPorts,
): Promise<string> {
  const { key, severity, service, taint } = item.body;
  const tools = decision.action.do === "call" ? decision.action.calls.map(({ tool }) => tool) : [];
  const id = ids.memory();
  const helped = outcome === "worked" ? "helped" : "did not help";
  await memory().call("append", {
    memories: [
      {
        id,
        time_ms: Date.now(),
        boot_ms: boot_ms(),
        kind: "lesson",
        source: tier,
        severity,
        tier,
        tool: tools[0] ?? null,
        service,
        outcome,
        text: `Against the alarm ${key}, ${decision.rule} (${tools.join(", ")}) ${helped}: ${why}.`.slice(0, 2000),
        body: { matter: key, rule: decision.rule, incident: item.id },
        taint,
        links: [
          { relation: "learned-from", to: decision.id },
          { relation: "about", to: decision.trigger.id },
        ],
      },
    ],
  });
  return id;
}
