/** From the bytes of an event to the decision on record: frame, schemas, rules, ids, ledger, as in the running process. */

import type { Event, EventKind, Facts } from "../../contracts/event.ts";
import { child_methods, child_notifications, init_methods, init_notifications } from "../../contracts/init.ts";
import { type BenchRow, percentile } from "../../tooling/bench.ts";
import { encodeFrame } from "../../wire/frame.ts";
import { Peer } from "../../wire/peer.ts";
import { Ids } from "../shared/ids.ts";
import { Decider } from "./decide.ts";
import { Engine } from "./engine.ts";
import { Ledger } from "./ledger.ts";
import { loadRules } from "./rule-set.ts";
import { bundled_rules } from "./rules/index.ts";

const events_measured = 100_000;
const events_warm_up = 20_000;

/** Events come in bursts with pauses: a process that never sleeps measures the kernel's time slices, not itself. */
const burst = 50;
const burst_pause_ms = 1;

/** How the events of a busy machine are mixed, in parts; every kind that is not named here has none. */
const mix: readonly [EventKind, number, (n: number) => object][] = [
  ["kernel.log", 40, (n) => ({ priority: n % 8, sequence: n, at_us: n * 1000 })],
  ["memory.pressure", 15, (n) => ({ some_avg10: n % 60, full_avg10: n % 20, available_bytes: 1e6 * (n % 300) })],
  [
    "service.state",
    15,
    (n) => ({ service: `work-${n % 50}`, from: "starting", to: n % 9 === 0 ? "crash-loop" : "ready", reason: "it said ready" }),
  ],
  ["disk.usage", 10, (n) => ({ mount: "/var/lib/aios", used_ratio: (n % 100) / 100, free_bytes: 1e9, inodes_used_ratio: 0 })],
  [
    "service.exited",
    8,
    (n) => ({
      service: `work-${n % 50}`,
      pid: 100 + n,
      exit: { status: n % 3, signal: null, cause: n % 4 === 0 ? "stop requested" : null },
      uptime_ms: n,
    }),
  ],
  ["net.link", 5, (n) => ({ interface: `eth${n % 4}`, index: n % 4, up: true, carrier: n % 2 === 0 })],
  ["device.added", 3, (n) => ({ subsystem: "block", path: `/devices/virtual/block/loop${n}`, name: `loop${n}` })],
  ["clock.step", 2, (n) => ({ by_ms: n % 3000 })],
  ["kernel.oom-kill", 1, (n) => ({ pid: 100 + n, killed: `worker ${n}` })],
  ["watchdog.near", 1, (n) => ({ left_ms: n % 30_000 })],
];

/** @returns rows for all events and for those that a rule decided; `value` is p99.9 */
export function benchReactive(events = events_measured): BenchRow[] {
  let decided = false;
  const ids = new Ids("reactive", "0badcafe", 0);
  const ledger = new Ledger(() => null);
  const decider = new Decider(new Engine(loadRules(bundled_rules).loaded), ids, {
    boot_ms: () => performance.now(),
    act: async () => ({ result: "done", detail: "" }),
    record(decision) {
      decided = true;
      ledger.putDecision(decision);
    },
  });
  const peer = peerThatHears((event) => decider.take(event));
  for (let n = 0; n < events_warm_up; n += 1) peer.receive(frameOf(n));

  const all: number[] = [];
  const with_decision: number[] = [];
  for (let first = events_warm_up; first < events_warm_up + events; first += burst) {
    const frames = Array.from({ length: burst }, (_, n) => frameOf(first + n));
    Bun.sleepSync(burst_pause_ms);
    for (const frame of frames) {
      decided = false;
      const began_ns = Bun.nanoseconds();
      peer.receive(frame);
      const took_us = (Bun.nanoseconds() - began_ns) / 1000;
      all.push(took_us);
      if (decided) with_decision.push(took_us);
    }
  }
  return [row("reactive: event taken, decided or not", all), row("reactive: event to decision", with_decision)];
}

function row(name: string, samples_us: number[]): BenchRow {
  const sorted = Float64Array.from(samples_us).sort();
  const at = (fraction: number): number => percentile(sorted, fraction);
  return { name: `${name} (value: p99.9)`, unit: "us", n: sorted.length, p50: at(0.5), p99: at(0.99), value: at(0.999) };
}

function peerThatHears(event: (event: Event) => void) {
  return new Peer<typeof child_methods, typeof child_notifications, typeof init_methods, typeof init_notifications>(
    { send: () => true, close: () => {} },
    {
      serves: {
        methods: child_methods,
        handlers: {
          health: () => {
            throw new Error("nobody asks");
          },
        },
      },
      hears: { notifications: child_notifications, listeners: { event, log: () => {} } },
      calls: init_methods,
      tells: init_notifications,
    },
  );
}

/** One entry for each part, so that an event's number finds its kind. */
const slots = mix.flatMap((entry) => Array.from({ length: entry[1] }, () => entry));

/** The bytes of the event with this number. */
export function frameOf(n: number): Uint8Array {
  const slot = slots[(n * 37) % slots.length];
  if (slot === undefined) throw new Error("making an event failed: the mix is empty");
  const [kind, , facts] = slot;
  const untrusted = kind === "kernel.log" ? { untrusted: `eth0: renamed from veth${n}, link is up at 1000 Mbps` } : {};
  const base = { id: `0badcafe-init-${n}`, time_ms: 1.7e12 + n, boot_ms: n, source: "init", severity: "info" };
  const params = { ...base, kind, facts: facts(n) as Facts<EventKind>, ...untrusted };
  return encodeFrame({ jsonrpc: "2.0", method: "event", params });
}
