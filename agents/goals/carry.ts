/**
 * A goal's plan, carried out step by step by the tactical tier. Each call has a key made of the step and its attempt: after a kill it
 * is asked for again and nothing is done twice. Before each step the goal is looked at: a person may have paused or cancelled it.
 */

import type { WorkChange } from "../../contracts/memory/working/changes.ts";
import type { CallOutcome } from "../../contracts/tool.ts";
import { decidedOf } from "../loop/approval.ts";
import type { LoopPorts } from "../loop/ports.ts";
import { call_limit_ms } from "../loop/tries.ts";
import { takeBack } from "../shared/take-back.ts";
import { notSo } from "./check.ts";
import type { HeldGoal, Plan, Step } from "./goals.ts";

/** How long a goal may take to become so once its steps are done. */
const becomes_so_ms = 30_000;
const look_every_ms = 1000;
const calls_named_max = 16;

export type CarryPorts = Pick<LoopPorts, "broker" | "memory" | "above" | "wait">;

/** Goes on until the goal is so, waits for somebody, or is not to be worked on any more. */
export async function carryOut(held: HeldGoal, ports: CarryPorts): Promise<void> {
  while ((await held.look()).state === "working") {
    const found = await held.plan();
    if (found === null || found.plan.ended) {
      await held.move("planning", "it has no plan that goes on");
      return;
    }
    const { plan, steps } = found;
    if (plan.state !== "active") {
      await held.change([{ do: "move", id: plan.id, version: plan.version, to: "active" }], "the goal is pursued again");
      continue;
    }
    const begun = steps.find(({ state }) => state === "running" || state === "waiting");
    const next = begun ?? (await readyOf(plan, steps, ports));
    if (next !== undefined) await carry(held, found, next, ports);
    else if (steps.every(({ state }) => state === "done" || state === "skipped")) await finish(held, plan, ports);
    else await planFailed(held, plan, whyStuck(steps), ports);
  }
}

/** A step has failed before the goal was paused, or the tier was gone. */
function whyStuck(steps: readonly Step[]): string {
  const failed = steps.find(({ state }) => state === "failed");
  return failed === undefined ? "steps are left that cannot begin" : whyFailed(failed.body, failed.body.result);
}

function whyFailed({ key, tool }: Step["body"], result: string | null): string {
  return `step "${key}" (${tool}): ${result}`;
}

async function readyOf(plan: Plan, steps: readonly Step[], { memory }: CarryPorts): Promise<Step | undefined> {
  const { ready } = await memory().call("work.ready", { plan: plan.id });
  return steps.find(({ id }) => id === ready[0]?.id);
}

/** One move of a step, from wherever it is; a goal whose call waits for a person is blocked. */
async function carry(
  held: HeldGoal,
  { plan, steps }: { plan: Plan; steps: readonly Step[] },
  step: Step,
  ports: CarryPorts,
): Promise<void> {
  const { id, version, body, state } = step;
  const asked = body.waits_for?.call ?? body.calls.at(-1);
  // whoever asks by its key for a call that waits, waits with it
  if (asked !== undefined && (await decidedOf(asked, ports.broker)) === null) {
    const waits_for = body.waits_for ?? { call: asked, what: `an approval of ${body.tool}` };
    const waiting: WorkChange[] = state === "waiting" ? [] : [{ do: "move", id, version, to: "waiting", patch: { waits_for } }];
    await held.block(waits_for.what, asked, waiting);
    return;
  }
  if (state !== "running") {
    const why = state === "waiting" ? "there is an answer" : `step "${body.key}" begins`;
    await held.change([{ do: "move", id, version, to: "running", patch: { waits_for: null } }], why);
    return;
  }
  const outcome = await called(held, plan, step, ports);
  const calls = [...body.calls.filter((call) => call !== outcome.call), outcome.call].slice(-calls_named_max);
  const result = `${outcome.status}: ${outcome.text}`.slice(0, 2000);
  const move = (to: Step["state"], patch: object): WorkChange => ({ do: "move", id, version, to, patch: { calls, ...patch } });
  if (outcome.status === "waiting") {
    const what = `an approval of ${body.tool}: ${outcome.text}`.slice(0, 500);
    // by itself: also of a goal that was paused or cancelled meanwhile it has to be known which call waits
    await held.change([move("waiting", { waits_for: { call: outcome.call, what } })], `step "${body.key}" waits for ${what}`);
  } else if (outcome.status === "done") {
    const over = steps.filter((one) => one.state === "done" || one.state === "skipped").length + 1;
    const { item } = held;
    const progress: WorkChange = { do: "edit", id: item.id, version: item.version, patch: { progress: over / steps.length } };
    await held.change([move("done", { result }), progress], `step "${body.key}" is done: ${outcome.text}`);
  } else {
    await held.change([move("failed", { result })], `step "${body.key}": ${result}`);
    const again = outcome.status !== "refused" && outcome.status !== "declined" && outcome.status !== "invalid";
    if (again && body.attempts < body.attempts_max)
      await held.change([{ do: "move", id, version: version + 1, to: "pending" }], "once more");
    else await planFailed(held, plan, whyFailed(body, result), ports);
  }
}

/** Made once for each attempt, however often it is asked for. */
async function called({ item }: HeldGoal, plan: Plan, { id, body }: Step, { broker }: CarryPorts): Promise<CallOutcome> {
  const reason = { text: `${body.title}; for the goal "${item.body.text.slice(0, 500)}" (${item.id})` };
  const tainted = body.taint.length > 0 ? [""] : [];
  const _meta = { reason, group: plan.id, key: `${id}/${body.attempts}`, tainted };
  const first = (await broker().call("tools/call", { name: body.tool ?? "", arguments: body.arguments, _meta }, call_limit_ms))._meta;
  if (first.status !== "waiting") return first;
  const { outcome, approval } = await broker().call("calls/get", { call: first.call });
  if (outcome !== null || approval === null || approval.preview.length + approval.final.length > 0) return outcome ?? first;
  // as when what drifted is repaired by the whole plan: what is so already is no question to a person
  await broker().call("calls/cancel", { call: first.call, reason: "it would change nothing" });
  return { ...first, status: "done", text: `${first.tool}: nothing to change` };
}

/** All steps are done: whether the goal is so now. */
async function finish(held: HeldGoal, plan: Plan, ports: CarryPorts): Promise<void> {
  const until_ms = performance.now() + becomes_so_ms;
  for (;;) {
    if ((await held.look()).state !== "working") return;
    const why = await notSo(held.item, ports.broker);
    if (why === null) break;
    if (performance.now() >= until_ms) {
      await planFailed(held, plan, `its steps are done, but ${why}`, ports);
      return;
    }
    await ports.wait(look_every_ms);
  }
  const { check, keep } = held.item.body;
  const so = check === null ? "all steps are done" : `all steps are done, and ${check.tool} says that it is so`;
  await held.change(
    [{ do: "move", id: plan.id, version: plan.version, to: "done" }, held.to(keep ? "kept" : "done", { progress: 1, waits_for: null })],
    so,
  );
}

/**
 * What it has changed is taken back as far as it can be. Another plan is made once; after that a person has to look. Where a person has
 * paused or cancelled the goal meanwhile nothing is taken back: resumed, it comes here again.
 */
async function planFailed(held: HeldGoal, plan: Plan, why: string, ports: CarryPorts): Promise<void> {
  if ((await held.look()).state !== "working") return;
  const { said: back, calls } = await takeBack(plan.id, `the plan ${plan.id} failed: ${why}`, ports.broker);
  const steps = (await held.plan())?.steps ?? [];
  const undone = steps.flatMap(({ id, version, state, body }): WorkChange[] =>
    state === "done" && body.calls.some((call) => calls.has(call)) ? [{ do: "move", id, version, to: "undone" }] : [],
  );
  const over: WorkChange[] = [...undone, { do: "move", id: plan.id, version: plan.version, to: "failed" }];
  const [, before] = await held.plans(2);
  const said = `${why}; ${back}`;
  if (before?.state !== "failed" && (await ports.above()) !== null)
    await held.change([...over, held.to("planning")], `another plan is needed: ${said}`);
  else await held.block(`a person's decision: ${said}`, null, over);
}
