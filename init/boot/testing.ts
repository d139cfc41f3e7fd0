/** For tests of phases: a BootContext that writes down what it is told. */

import type { EventKind, Facts, Severity } from "../../contracts/event.ts";
import type { System } from "../../sys/system.ts";
import { firstState } from "../defaults.ts";
import type { BootContext, KernelRecord } from "./phase.ts";

export interface Told {
  readonly events: {
    readonly kind: EventKind;
    readonly severity: Severity;
    readonly facts: Facts<EventKind>;
    readonly untrusted: string | undefined;
  }[];
  readonly logs: string[];
  readonly degradations: Map<string, string>;
  readonly started: string[];
  readonly kernel_lines: KernelRecord[];
  readonly shutdowns: string[];
  readonly works: { readonly what: string; readonly work: () => void | Promise<void> }[];
  readonly programs: { readonly name: string; readonly argv: readonly string[] | null; readonly reason: string }[];
}

export type TestBoot = BootContext & { readonly told: Told; healthy: boolean };

export function testBoot(sys: System, mode: "machine" | "container" = "machine"): TestBoot {
  const told: Told = {
    events: [],
    logs: [],
    degradations: new Map(),
    started: [],
    kernel_lines: [],
    shutdowns: [],
    works: [],
    programs: [],
  };
  return {
    told,
    healthy: true,
    sys,
    mode,
    state: structuredClone(firstState("", "0".repeat(8))),
    emit: (kind, severity, facts, untrusted) => void told.events.push({ kind, severity, facts, untrusted }),
    log: (severity, message) => void told.logs.push(`${severity}: ${message}`),
    degrade: (what, degradation) =>
      void (degradation === null ? told.degradations.delete(what) : told.degradations.set(what, degradation.detail)),
    openControl: async () => {},
    startServices: (names) => void told.started.push(...names),
    onShutdown: (what, work) => void told.works.push({ what, work }),
    kernelLine: (record) => void told.kernel_lines.push(record),
    requestShutdown: (action, reason) => void told.shutdowns.push(`${action}: ${reason}`),
    runProgram: (name, program, reason) => void told.programs.push({ name, argv: program?.argv ?? null, reason }),
    ownChild: () => {},
    isHealthy() {
      return this.healthy;
    },
  };
}
