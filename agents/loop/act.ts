/** The calls of a decision, made through the broker, and the look at whether they helped. */

import type { Decision } from "../../contracts/decision.ts";
import type { CallOutcome } from "../../contracts/tool.ts";
import { decidedOf } from "./approval.ts";
import { watchBelow } from "./below.ts";
import { measureHealth, worseThan } from "./health.ts";
import type { Held } from "./incidents.ts";
import type { ActionCall } from "./options.ts";
import type { LoopPorts } from "./ports.ts";
import { call_limit_ms, giveUp, lastTry, settle } from "./tries.ts";

const look_every_ms = 250;
const calls_named_max = 32;
const usual_watch_ms = 60_000;
/** However much sooner than in earnest the sensors look: whoever has to answer them does not become faster by it. */
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
    const refused = outcome.status === "refused" || outcome.status === "declined";
    const why = `${call.tool}: ${outcome.status}: ${outcome.text}`;
    await giveUp(held, decision, { result: refused ? "refused" : "failed", why }, ports);
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
export async function approvalCame(held: Held, { broker }: LoopPorts): Promise<boolean> {
  const call = held.item.body.waits_for?.call ?? null;
  const decided = call === null ? "unknown" : await decidedOf(call, broker);
  if (decided === null) return false;
  const what = decided === "unknown" ? "nobody knows of the call" : decided.status;
  await held.move("acting", `the approval: ${what}`, { waits_for: null });
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
  const watch_ms = decision?.action.do === "call" ? sooner(decision.action.watch_ms ?? usual_watch_ms, ports.pace) : 0;
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
  const now_worse =
    decision === null || health_before === null ? null : worseThan(health_before, await measureHealth(ports.ask, ports.standing, key));
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

function sooner(watch_ms: number, pace = 1): number {
  return Math.max(watch_ms / pace, Math.min(watch_ms, sooner_watch_ms_min));
}
