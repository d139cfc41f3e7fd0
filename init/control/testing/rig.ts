/** What PID 1's handlers work on, with a supervisor that starts no processes. */

import { StrategicConfig } from "../../../contracts/model/provider.ts";
import { rpc_error } from "../../../contracts/rpc.ts";
import { RpcError } from "../../../wire/peer.ts";
import { default_config } from "../../defaults.ts";
import { EventHub } from "../../events.ts";
import { LogHub } from "../../logs.ts";
import { policy } from "../../supervise/policy.ts";
import type { RunnerHears } from "../../supervise/runner.ts";
import type { ServiceSpec } from "../../supervise/spec.ts";
import { Supervisor } from "../../supervise/supervisor.ts";
import { coreSpecs } from "../../supervise/table.ts";
import { DefinedServices } from "../defined.ts";
import type { Desk } from "../handlers.ts";
import { ProcessList } from "../processes.ts";
import { strategicSettings } from "../strategic.ts";

interface Child {
  readonly hears: RunnerHears;
  readonly spec: ServiceSpec;
}

export interface RigOptions {
  readonly stopping?: boolean;
  /** Whether services end when they are told to. */
  readonly obeys?: boolean;
  readonly strategic?: StrategicConfig;
}

export interface Rig {
  readonly supervisor: Supervisor;
  readonly events: EventHub;
  readonly logs: LogHub;
  readonly desk: Desk;
  /** By service, as it was started last. */
  readonly children: ReadonlyMap<string, Child>;
  readonly shutdowns: readonly string[];
  readonly said: readonly string[];
  close(): void;
}

export function makeRig({ stopping = false, obeys = true, strategic = StrategicConfig.parse({}) }: RigOptions = {}): Rig {
  const clock = { wall: Date.now, boot: () => performance.now() };
  const events = new EventHub(clock, () => "0badcafe");
  const logs = new LogHub(clock);
  const children = new Map<string, Child>();
  const supervisor = new Supervisor({
    runner: {
      start(spec, hears) {
        children.set(spec.name, { hears, spec });
        const end = (): void => queueMicrotask(() => void (obeys && hears.ended({ status: 0, signal: null })));
        return { pid: 100 + children.size, mainPid: () => 7, term: end, kill: end };
      },
    },
    now: () => performance.now(),
    random: () => 0,
    policy,
    emit: (kind, severity, facts) => events.emit(kind, severity, facts),
    output: () => {},
    onChange: () => {},
    strain: () => 0,
  });
  supervisor.put(coreSpecs(default_config, "container"));
  const shutdowns: string[] = [];
  const said: string[] = [];
  const processes = new ProcessList({ supervisor, now: () => performance.now() });
  const desk: Desk = {
    supervisor,
    events,
    logs,
    mode: "container",
    status: () => {
      throw new RpcError(rpc_error.internal, "not in this test");
    },
    boot: () => ({ boot_id: "x", marks: { kernel: 0 }, phases: [] }),
    hardware: () => null,
    processes: () => processes.list(),
    shutdown: async (action, reason) => (shutdowns.push(`${action}: ${reason}`) > 1 ? "it goes down already" : null),
    stopping: () => stopping,
    packages: () => ({ sources: [], generations_max: 48 }),
    sensors: () => ({ pace: 1 }),
    strategic: () => strategicSettings(strategic),
    defined: new DefinedServices(supervisor, "container"),
    log: (message) => void said.push(message),
  };
  return { supervisor, events, logs, desk, children, shutdowns, said, close: () => supervisor.close() };
}
