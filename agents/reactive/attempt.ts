/**
 * Carries out what a promoted playbook decided: its calls through the broker, then the look whether the alarm was cleared in time and
 * nothing else became worse; what did not help is taken back. On trial the broker is asked what it would do, and nothing changes.
 */

import type { Decision, Outcome } from "../../contracts/decision.ts";
import type { CallOutcome, CallResult } from "../../contracts/tool.ts";
import { lastinglyWorse, measureHealth } from "../loop/health.ts";
import type { BasePorts } from "../loop/ports.ts";
import { matterOf } from "../shared/standing.ts";
import { takeBack } from "../shared/take-back.ts";
import type { Plan } from "./promoted.ts";

export type AttemptPorts = Pick<BasePorts, "broker" | "ask" | "standing" | "wait" | "pace">;
type Result = Omit<Outcome, "after_ms">;
type Call = Extract<Decision["action"], { do: "call" }>["calls"][number];

const call_limit_ms = 600_000;
const look_every_ms = 100;

/** Never rejects: what goes wrong is an outcome too. */
export async function attempt(plan: Plan, ports: AttemptPorts): Promise<Result> {
  try {
    return plan.dry ? await dryRun(plan, ports) : await carryOut(plan, ports);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    // nothing is known of what it would have come to: that the broker is away says nothing against the rule
    return plan.dry ? { result: "failed", detail } : await takenBack(plan, { result: "suppressed", detail }, ports);
  }
}

/** Whether a rule is to be switched off for it: it was carried out and did not help, or may not be. */
export function speaksAgainst({ dry }: Plan, { result }: Pick<Outcome, "result">): boolean {
  return !dry && result !== "done" && result !== "suppressed";
}

async function dryRun(plan: Plan, ports: AttemptPorts): Promise<Result> {
  for (const [at, call] of callsOf(plan).entries()) {
    const { structuredContent, _meta } = await answered(plan, call, at, ports);
    if (_meta.status === "limited") return { result: "failed", detail: `a dry run that could not be made: ${_meta.text}`.slice(0, 1000) };
    const would = wouldBe(structuredContent, _meta);
    if (would !== null) return { result: "refused", detail: `a dry run: ${_meta.tool} would ${would}`.slice(0, 1000) };
  }
  return { result: "suppressed", detail: "a dry run: all its calls would be made" };
}

async function carryOut(plan: Plan, ports: AttemptPorts): Promise<Result> {
  const { ask, standing, wait } = ports;
  const matter = matterOf(plan.event);
  const before = await measureHealth(ask, standing, matter);
  for (const [at, call] of callsOf(plan).entries()) {
    const { status, text, tool, call: id } = await made(plan, call, at, ports);
    if (status === "done" || (call.may_fail === true && status !== "waiting")) continue;
    // nobody is asked on behalf of a rule
    if (status === "waiting") await ports.broker().call("calls/cancel", { call: id, reason: "a rule waits for nobody" });
    return await takenBack(plan, { result: resultOf(status), detail: `${tool}: ${status}: ${text}` }, ports);
  }
  const watch_ms = watchOf(plan);
  const until_ms = performance.now() + watch_ms;
  while (standing.get(matter) !== null) {
    if (performance.now() >= until_ms) {
      const detail = `the alarm still stood after ${watch_ms / 1000} s`;
      return await takenBack(plan, { result: "failed", detail }, ports);
    }
    await wait(look_every_ms);
  }
  const worse = await lastinglyWorse(before, () => measureHealth(ask, standing, matter), ports);
  if (worse === null) return { result: "done", detail: "the alarm was cleared" };
  return await takenBack(plan, { result: "failed", detail: `the alarm was cleared, but ${worse}` }, ports);
}

/** Of a call that was not done. What the broker had no room for is open to the other tiers, and to the rule the next time. */
function resultOf(status: CallOutcome["status"]): Result["result"] {
  if (status === "limited") return "suppressed";
  return status === "waiting" || status === "refused" || status === "declined" ? "refused" : "failed";
}

function watchOf({ decision: { action }, known }: Plan): number {
  return action.do === "call" && action.watch_ms !== undefined ? action.watch_ms : known.playbook.watch_ms;
}

function callsOf({ decision }: Plan): readonly Call[] {
  return decision.action.do === "call" ? decision.action.calls : [];
}

/** @returns what would stand in the way; null: it would be made at once. A preview tells of a call that waits for a person, too. */
function wouldBe(preview: CallResult["structuredContent"], { status, text }: CallOutcome): string | null {
  if (status !== "previewed") return `be ${status}: ${text}`;
  return preview?.["effect"] === "allow" ? null : `wait for a person: ${text}`;
}

async function made(plan: Plan, call: Call, at: number, ports: AttemptPorts): Promise<CallOutcome> {
  return (await answered(plan, call, at, ports))._meta;
}

async function answered({ decision, dry }: Plan, call: Call, at: number, { broker }: AttemptPorts): Promise<CallResult> {
  const { id, trigger, reason } = decision;
  const why = { text: reason.slice(0, 1000), event: trigger.id, decision: id };
  const { tainted = [] } = call;
  const _meta = dry ? { reason: why, tainted, dry_run: true } : { reason: why, tainted, group: id, key: `${id}/${at}` };
  return await broker().call("tools/call", { name: call.tool, arguments: call.arguments, _meta }, call_limit_ms);
}

async function takenBack({ decision }: Plan, { result, detail }: Result, { broker }: AttemptPorts): Promise<Result> {
  const { said } = await takeBack(decision.id, `decision ${decision.id} did not help`, broker);
  return { result, detail: `${detail}; ${said}`.slice(0, 1000) };
}
