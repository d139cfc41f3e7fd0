/**
 * For tests: PID 1 without processes. Services are started in name only and say ready at once, time stands until it is
 * moved, and the system is scripted. It makes its folders and sockets on /run: only for namespaces with a /run of its own.
 */

import { init_methods, init_notifications } from "../../contracts/init.ts";
import { callerSocket } from "../../contracts/paths.ts";
import { fakeSystem, type Step } from "../../sys/fake.ts";
import { connectUnix } from "../../wire/unix.ts";
import type { BootContext, Phase } from "../boot/phase.ts";
import { done } from "../boot/result.ts";
import { BootClock } from "../clock.ts";
import { firstState } from "../defaults.ts";
import { Pid1 } from "../pid1.ts";
import type { RunnerHears } from "../supervise/runner.ts";

interface AloneOptions {
  readonly config?: BootContext["state"]["config"];
  readonly phases?: readonly Phase[];
  /** What the system may be asked for; everything else fails. */
  readonly script?: readonly Step[];
  /** Services that cannot be started. */
  readonly broken?: ReadonlySet<string>;
}

export async function alone(options: AloneOptions = {}) {
  const time = { ms: 1000 };
  const said: string[] = [];
  const kernel: string[] = [];
  const started: string[] = [];
  const ended: string[] = [];
  // the first thing that PID 1 asks of the system is the time since boot
  const sys = fakeSystem([{ call: "clock.nowMs", args: ["boottime"], returns: 0 }, ...(options.script ?? [])]);
  const state = firstState("", "0badcafe-0000-4000-8000-000000000000");
  const boots: BootContext[] = [];
  const probe: Phase = {
    name: "probe",
    what: "hands the context out",
    modes: "both",
    limit_ms: 1000,
    run: async (boot) => {
      boots.push(boot);
      return done("handed out");
    },
  };
  const start = (name: string, hears: RunnerHears) => {
    started.push(name);
    if (options.broken?.has(name)) throw new Error("scripted: it cannot be started");
    const ready = { ready: true, alive: false, stopping: false, reloading: false, stuck: false, status: null, extend_ms: null };
    queueMicrotask(() => hears.notified(ready));
    const end = (): void => {
      ended.push(name);
      queueMicrotask(() => hears.ended({ status: 0, signal: null }));
    };
    return { pid: 1000 + started.length, mainPid: () => 7, term: end, kill: end };
  };
  const pid1 = new Pid1({
    clock: new BootClock(() => time.ms, "0 0"),
    mode: "container",
    phases: [probe, ...(options.phases ?? [])],
    state: options.config === undefined ? state : { ...state, config: options.config },
    marks: { kernel: 0 },
    loadSystem: () => sys,
    say: (line) => void said.push(line),
    kernelLog: (severity, message) => void kernel.push(`${severity}: ${message}`),
    exit: () => void said.push("exit"),
    runner: () => ({ start: (spec, hears) => start(spec.name, hears) }),
  });
  await pid1.boot();
  const [boot] = boots;
  if (boot === undefined) throw new Error("booting PID 1 alone failed: its first phase did not run");
  return { pid1, boot, time, said, kernel, started, ended, sys };
}

/** Asks as the console does. */
export function consoleOf() {
  return connectUnix(callerSocket("init", "console"), {
    serves: { methods: {}, handlers: {} },
    hears: { notifications: {}, listeners: {} },
    calls: init_methods,
    tells: init_notifications,
  });
}

/** Until it is so, or for five seconds. */
export async function until(so: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 500 && !so(); turn += 1) await Bun.sleep(10);
  return so();
}
