/** The calls of a decision, made through the broker, and the look at whether they helped. */

import type { Decision } from "../../contracts/decision.ts";
import type { CallOutcome } from "../../contracts/tool.ts";
import { decidedOf, withdraw } from "./approval.ts";
import { watchBelow } from "./below.ts";
import { lastinglyWorse, measureHealth } from "./health.ts";
import type { Held } from "./incidents.ts";
import type { ActionCall } from "./options.ts";
import type { LoopPorts } from "./ports.ts";
import { sooner } from "./sooner.ts";
import { call_limit_ms, giveUp, lastTry, type NoHelp, settle } from "./tries.ts";

const look_every_ms = 250;
const calls_named_max = 32;
const usual_watch_ms = 60_000;
const sooner_watch_ms_min = 30_000;

export async function act(held: Held, ports: LoopPorts): Promise<void> {
  const decision = await lastTry(held, ports);
  if (decision === null || decision.action.do !== "call") {
    await held.move("deciding", "there is no decision to carry out");
    return;
  }
  let nothing_changed = true;
  for (const [at, call] of decision.action.calls.entries()) {
    const outcome = await called(held, decision, at, call, ports);
    if (outcome.status === "waiting") {
      await held.move("waiting", outcome.text.slice(0, 500), {
        waits_for: { call: outcome.call, what: `an approval of ${call.tool}` },
      });
      return;
    }
    if (outcome.unchanged !== true) nothing_changed = false;
    if (outcome.status === "done" || call.may_fail === true) continue;
    const why = `${call.tool}: ${outcome.status}: ${outcome.text}`;
    await giveUp(held, decision, { result: resultOf(outcome.status), why }, ports);
    // what there is no room for now may be done in a moment; it counts as a try, so that this has an end
    if (outcome.status === "limited") throw new Error(why);
    return;
  }
  // it might go away by itself; where there is something else to try nobody waits for that
  if (nothing_changed && (decision.alternatives ?? []).length > 0) {
    const tools = [...new Set(decision.action.calls.map(({ tool }) => tool))].join(", ");
    await giveUp(held, decision, { result: "failed", why: `there was nothing for ${tools} to change` }, ports);
    return;
  }
  await held.move("watching", "all calls are made");
}

function resultOf(status: CallOutcome["status"]): NoHelp["result"] {
  if (status === "limited") return "suppressed";
  return status === "refused" || status === "declined" ? "refused" : "failed";
}

/** Made once, however often it is asked for: its key names the try and the step. */
async function called(held: Held, decision: Decision, at: number, call: ActionCall, ports: LoopPorts): Promise<CallOutcome> {
  const { id } = decision;
  const why = whyOf(decision, at);
  const _meta = { reason: why, group: id, key: `${id}/${at}`, tainted: call.tainted ?? [] };
  const answer = await ports.broker().call("tools/call", { name: call.tool, arguments: call.arguments, _meta }, call_limit_ms);
  const first = answer._meta;
  const { calls, spent } = held.item.body;
  if (!calls.includes(first.call)) {
    const named = [...calls, first.call].slice(-calls_named_max);
    await held.edit({ calls: named, spent: { ...spent, calls: spent.calls + 1 } }, `${call.tool}: ${first.status}`);
  }
  if (first.status !== "waiting") return first;
  return (await ports.broker().call("calls/get", { call: first.call })).outcome ?? first;
}

/** For the record, and for the policies: what the choice has cost counts once, with the first call. */
function whyOf({ id, trigger, reason, asked = [], alternatives = [], confidence }: Decision, at: number) {
  const model = asked.findLast(({ tokens }) => tokens > 0)?.who ?? null;
  return {
    ...{ text: reason.slice(0, 1000), event: trigger.id, decision: id, confidence: confidence ?? null },
    alternatives: alternatives.map(({ what }) => what),
    model,
    cost_usd: at === 0 ? asked.reduce((sum, { usd }) => sum + usd, 0) : 0,
  };
}

/** @returns false while it is still waited for */
export async function approvalCame(held: Held, ports: LoopPorts): Promise<boolean> {
  const { key, waits_for } = held.item.body;
  const call = waits_for?.call ?? null;
  const decided = call === null ? "unknown" : await decidedOf(call, ports.broker);
  if (decided === null) return ports.standing.get(key) === null && (await needless(held, call, ports));
  const what = decided === "unknown" ? "nobody knows of the call" : decided.status;
  // an hour may have passed since the system was measured: what became worse meanwhile did so without this
  const health_before = await measureHealth(ports.ask, ports.standing, key);
  await held.move("acting", `the approval: ${what}`, { waits_for: null, health_before: { ...health_before } });
  return true;
}

const gone = "the alarm was cleared before anybody had decided";

/** Nobody is asked any more about what went away, and nothing is credited with it. @returns false when it is being made just now */
async function needless(held: Held, call: string | null, ports: LoopPorts): Promise<boolean> {
  if (call !== null && !(await withdraw(call, gone, ports.broker))) return false;
  const decision = await lastTry(held, ports);
  // what came before it in the same decision was done, and may have helped
  const is_all = decision?.action.do === "call" && decision.action.calls.length === 1;
  if (is_all && decision.outcome.result === "pending") await settle(decision, { result: "suppressed", detail: gone }, ports);
  await held.move("deciding", gone, { waits_for: null });
  return true;
}

/** The alarm has to be cleared in time, and nothing else may have become worse. */
export async function watch(held: Held, ports: LoopPorts): Promise<void> {
  const { key, health_before } = held.item.body;
  const made = await lastTry(held, ports);
  // a try below that failed while its alarm is cleared leaves nothing to decide: that incident would come back here at once, without end
  if (made?.tier === "reactive" && (isOpenOrHelped(made) || ports.standing.get(key) !== null)) {
    await watchBelow(held, made, ports);
    return;
  }
  const decision = made?.outcome.result === "pending" ? made : null;
  const watch_ms = decision?.action.do === "call" ? sooner(decision.action.watch_ms ?? usual_watch_ms, sooner_watch_ms_min, ports.pace) : 0;
  const until_ms = performance.now() + watch_ms;
  while (ports.standing.get(key) !== null) {
    if (performance.now() >= until_ms) {
      const why = `the alarm still stood after ${watch_ms / 1000} s`;
      if (decision === null) await held.move("deciding", why);
      else await giveUp(held, decision, { result: "failed", why }, ports);
      return;
    }
    await ports.wait(look_every_ms);
  }
  const measure = () => measureHealth(ports.ask, ports.standing, key);
  const now_worse = decision === null || health_before === null ? null : await lastinglyWorse(health_before, measure, ports);
  if (decision !== null && now_worse !== null) {
    await giveUp(held, decision, { result: "failed", why: `the alarm was cleared, but ${now_worse}`, worse: true }, ports);
    return;
  }
  if (decision !== null) await settle(decision, { result: "done", detail: "the alarm was cleared" }, ports);
  await held.move("learning", decision === null ? "it went away by itself" : "the alarm was cleared, and nothing else became worse");
}

function isOpenOrHelped({ outcome: { result } }: Decision): boolean {
  return result === "pending" || result === "done";
}
