/** Runs the phases of bring-up in order. Never throws: a phase that fails becomes a degradation, and the next one runs. */

import type { PhaseRecord } from "../contracts/init.ts";
import type { BootContext, Phase, PhaseResult } from "./boot/phase.ts";

interface PhaseRun {
  readonly boot: BootContext;
  readonly now: () => number;
  /** The timeline; records are added to it and completed in it. */
  readonly timeline: PhaseRecord[];
  /** Whether the system goes down: then no further phase begins, which would mount or mend what is just being left. */
  readonly goesDown: () => boolean;
}

type Ending = { readonly outcome: "done" | "degraded" | "failed"; readonly detail: string };

export async function runPhases(phases: readonly Phase[], run: PhaseRun): Promise<void> {
  for (const phase of phases) {
    if (run.goesDown()) return;
    if (phase.modes === "machine" && run.boot.mode === "container") continue;
    await runPhase(phase, run);
    await Bun.sleep(0); // most phases never wait: services are heard in between
  }
}

async function runPhase(phase: Phase, { boot, now, timeline }: PhaseRun): Promise<void> {
  const record: PhaseRecord = { name: phase.name, start_ms: now(), end_ms: null, outcome: "running", detail: phase.what };
  const at = timeline.push(record) - 1;
  const { outcome, detail } = await endingOf(phase, boot);
  const end_ms = now();
  timeline[at] = { ...record, end_ms, outcome, detail };
  const severity = outcome === "done" ? "info" : outcome === "degraded" ? "warning" : "error";
  boot.emit("boot.phase", severity, { phase: phase.name, outcome, took_ms: end_ms - record.start_ms, detail });
  if (outcome !== "done") boot.log(severity, `boot phase "${phase.name}" ${outcome}: ${detail}`);
}

async function endingOf(phase: Phase, boot: BootContext): Promise<Ending> {
  const { promise: over, resolve } = Promise.withResolvers<"over">();
  const timer = setTimeout(() => resolve("over"), phase.limit_ms);
  try {
    const result = await Promise.race([phase.run(boot), over]);
    return result === "over" ? failed(phase, boot, `it took longer than its limit of ${phase.limit_ms} ms`) : ended(phase, boot, result);
  } catch (error) {
    return failed(phase, boot, error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(timer);
  }
}

function ended(phase: Phase, boot: BootContext, result: PhaseResult): Ending {
  if (result.degradation !== undefined) boot.degrade(result.degradation.what, result.degradation);
  else if (result.outcome === "degraded")
    boot.degrade(phase.name, { what: phase.name, detail: result.detail, todo: "see the log of init for the cause" });
  return result;
}

function failed(phase: Phase, boot: BootContext, detail: string): Ending {
  boot.degrade(phase.name, {
    what: `boot phase "${phase.name}" failed`,
    detail,
    todo: `what it is for: ${phase.what}; see the log of init`,
  });
  return { outcome: "failed", detail };
}
