/** One fault, or what looks like one, from its injection to its end. */

import { waitFor } from "../wait.ts";
import type { Check, Control, Fault } from "./fault.ts";
import type { Ground, System } from "./ground.ts";
import { nothing_told, type Result, type Told } from "./result.ts";
import { collateral, type Snapshot } from "./snapshot.ts";

/** In earnest. */
const stable_s = 300;
const quiet_limit_ms = 120_000;
const look_every_ms = 100;
const effect_limit_ms = 20_000;

export interface Arm<G extends System = Ground> {
  readonly ground: G;
  /** All of it that a repair must leave as it is. */
  snapshot(): Promise<Snapshot>;
  /** Waits until nothing is wrong and nothing under way. */
  quiet(limit_ms: number): Promise<unknown>;
  told(since_ms: number, fault: Pick<Fault, "noticed"> | null): Promise<Told>;
  /** As a person does who is called: whatever is left of a fault is put right. */
  mend(): Promise<void>;
  /** Longest that a repair is waited for. */
  readonly repair_limit_ms: number;
}

type Teller = Pick<Arm, "told" | "repair_limit_ms">;

const with_person: readonly string[] = ["handed-over", "waiting"];
const under_way: readonly string[] = ["observing", "orienting", "deciding", "acting", "watching", "learning"];

export async function tryFault<G extends System>(arm: Arm<G>, fault: Fault<G>, time: number): Promise<Result> {
  const { ground } = arm;
  const base = { name: fault.name, kind: "fault", family: fault.family, arm: ground.arm, time } as const;
  const failed = { ...nothing_told, repaired: false, repaired_ms: null, stable: false, by_person: false, collateral: [] };
  try {
    await arm.quiet(quiet_limit_ms);
    const before = await arm.snapshot();
    const since_ms = Date.now();
    const check = await fault.inject(ground);
    if (fault.noticed.rules === undefined) await showsEffect(check);
    const repaired_at = await repairedAt(arm, fault, check, since_ms);
    const stable = repaired_at !== null && (await staysSo(check, (stable_s * 1000) / ground.pace));
    const told = await settled(arm, fault, since_ms);
    const found = repaired_at === null ? [] : collateral(before, await arm.snapshot(), fault.traces ?? []);
    await fault.clean?.(ground);
    if (repaired_at === null) await arm.mend();
    const by_person = told.incidents.some((state) => with_person.includes(state));
    const repaired_ms = repaired_at === null ? null : repaired_at - since_ms;
    return { ...base, ...told, repaired: repaired_at !== null, repaired_ms, stable, by_person, collateral: found, trouble: null };
  } catch (error) {
    await Promise.resolve(fault.clean?.(ground)).catch(() => {});
    await arm.mend().catch(() => {});
    return { ...base, ...failed, trouble: error instanceof Error ? error.message : String(error) };
  }
}

/** @returns the wall clock at which the effect was gone; null: not in time, or it is with a person */
async function repairedAt(arm: Teller, fault: Pick<Fault, "noticed">, check: Check, since_ms: number): Promise<number | null> {
  const until_ms = performance.now() + arm.repair_limit_ms;
  for (let looks = 0; performance.now() < until_ms; looks += 1) {
    if (await seen(check)) return Date.now();
    // now and then, whether anybody is still at it
    if (looks % 10 === 9) {
      const { incidents } = await arm.told(since_ms, fault);
      const is_over = incidents.length > 0 && incidents.every((state) => !under_way.includes(state));
      if (is_over && incidents.some((state) => with_person.includes(state))) return (await seen(check)) ? Date.now() : null;
    }
    await Bun.sleep(look_every_ms);
  }
  return null;
}

/** What is injected through a service takes a moment. @throws when nothing is wrong then */
async function showsEffect(check: Check): Promise<void> {
  await waitFor("the fault to show", async () => !(await seen(check)), { limit_ms: effect_limit_ms, every_ms: 50 });
}

/** An effect that cannot be looked at is not there. */
async function seen(check: Check): Promise<boolean> {
  try {
    return await check();
  } catch {
    return false;
  }
}

async function staysSo(check: Check, for_ms: number): Promise<boolean> {
  const until_ms = performance.now() + for_ms;
  let missed = 0;
  while (performance.now() < until_ms) {
    // one look in vain may have met a busy moment
    missed = (await seen(check)) ? 0 : missed + 1;
    if (missed >= 3) return false;
    await Bun.sleep(Math.min(1000, for_ms / 10));
  }
  return true;
}

/** What it says of itself once its incidents have ended. */
async function settled(arm: Teller, fault: Pick<Fault, "noticed">, since_ms: number): Promise<Told> {
  const until_ms = performance.now() + 60_000;
  for (;;) {
    const told = await arm.told(since_ms, fault);
    const is_over = told.incidents.every((state) => !under_way.includes(state));
    if ((is_over && told.detected !== false) || performance.now() > until_ms) return told;
    await Bun.sleep(500);
  }
}

export async function tryControl<G extends System>(arm: Arm<G>, control: Control<G>, time: number): Promise<Result> {
  const { ground } = arm;
  const base = { name: control.name, kind: "control", family: control.family, arm: ground.arm, time } as const;
  const none = { repaired: false, repaired_ms: null, stable: true, by_person: false } as const;
  try {
    await arm.quiet(quiet_limit_ms);
    const before = await arm.snapshot();
    const since_ms = Date.now();
    await control.happen(ground);
    await Bun.sleep((stable_s * 1000) / ground.pace);
    const told = await arm.told(since_ms, null);
    const found = collateral(before, await arm.snapshot(), control.traces ?? []);
    await control.clean?.(ground);
    return { ...base, ...none, ...told, collateral: found, trouble: null };
  } catch (error) {
    await Promise.resolve(control.clean?.(ground)).catch(() => {});
    return { ...base, ...none, ...nothing_told, collateral: [], trouble: error instanceof Error ? error.message : String(error) };
  }
}
