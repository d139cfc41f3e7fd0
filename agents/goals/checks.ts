/** The operational tier's part: whether what is to be kept is still so. */

import type { BasePorts } from "../loop/ports.ts";
import type { Round } from "../loop/run.ts";
import { notSo } from "./check.ts";
import { type Goal, Goals } from "./goals.ts";

/** What is not so must not be so twice: what PID 1 brings back by itself is no drift. */
const second_look_ms = 2000;
/** After a start of the tier, and of the machine, what is to be kept may still be starting. */
const first_look_ms = 10_000;

export type ChecksPorts = Pick<BasePorts, "broker" | "memory" | "boot_ms" | "wait" | "log">;

export function goalChecksRound({ broker, memory, boot_ms, wait, log }: ChecksPorts): Round {
  const goals = new Goals(memory, `goal-checks-${process.pid}-${Math.round(boot_ms())}`);
  /** When each is looked at next, by the boot clock. */
  const next = new Map<string, number>();
  const busy = new Set<string>();
  const look = async (goal: Goal): Promise<void> => {
    if ((await notSo(goal, broker)) === null) return;
    await wait(second_look_ms);
    const why = await notSo(goal, broker);
    if (why === null) return;
    const held = await goals.take(goal);
    if (held === null) return;
    try {
      if (held.item.state === "kept" && held.item.version === goal.version) await held.move("drifted", `it is not so any more: ${why}`);
    } finally {
      await held.release();
    }
  };
  const guarded = async (goal: Goal): Promise<void> => {
    busy.add(goal.id);
    try {
      await look(goal);
    } catch (error) {
      log.warn(error instanceof Error ? error.message : String(error));
    } finally {
      busy.delete(goal.id);
    }
  };
  return {
    get busy() {
      return busy.size;
    },
    async run() {
      const kept = (await goals.open()).filter(({ state }) => state === "kept");
      for (const id of next.keys()) if (!kept.some((goal) => goal.id === id)) next.delete(id);
      for (const goal of kept) {
        const { check } = goal.body;
        if (check === null || busy.has(goal.id)) continue;
        const due_ms = next.get(goal.id);
        if (due_ms === undefined) next.set(goal.id, boot_ms() + Math.max(first_look_ms, check.every_ms));
        if (due_ms === undefined || due_ms > boot_ms()) continue;
        next.set(goal.id, boot_ms() + check.every_ms);
        void guarded(goal);
      }
    },
  };
}
