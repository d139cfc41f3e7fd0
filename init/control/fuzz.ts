/**
 * Random, mutated and likely frames at the handlers of PID 1, through the real sockets of all services: it answers or hangs
 * up, nothing is thrown, and what it then tells of its services fits the contract.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { init_methods, init_notifications } from "../../contracts/init.ts";
import { core_services, ServiceStatus } from "../../contracts/service.ts";
import { fuzzSockets } from "../../wire/fuzz.ts";
import { connectUnix, silent } from "../../wire/unix.ts";
import { type Door, makeDoor } from "./door.ts";
import { welcomeFor } from "./server.ts";
import { makeRig } from "./testing/rig.ts";

const why = fc.record({ who: fc.string({ maxLength: 64 }), reason: fc.string({ minLength: 1, maxLength: 80 }) });
const service = fc.constantFrom(...core_services, "web", "shop", "nobody");
const change = fc.record({ service, why });
const definition = fc.record(
  {
    argv: fc.constantFrom(["/usr/bin/web"], ["/usr/bin/web", "--port", "80"]),
    uid: fc.constantFrom(20_000, 20_001, 0),
    after: fc.subarray(["memory", "web", "shop", "nobody"]),
    ready: fc.constantFrom("exec", "notify"),
    restart: fc.constantFrom("always", "on-failure", "never"),
    env: fc.dictionary(fc.constantFrom("A", "PATH", "0"), fc.string({ maxLength: 20 }), { maxKeys: 2 }),
  },
  { requiredKeys: ["argv", "uid"] },
);
const nothing = fc.constant({});
/** What a service says of itself may have 200 characters. */
const around_the_limit = fc.oneof(fc.string(), fc.string({ minLength: 190, maxLength: 210 }));

/** Parameters that the contract takes, most of the time. */
const params: Readonly<Record<keyof typeof init_methods | keyof typeof init_notifications, fc.Arbitrary<unknown>>> = {
  "system.status": nothing,
  "system.boot": nothing,
  "system.hardware": nothing,
  "system.processes": nothing,
  "system.shutdown": fc.record({ action: fc.constantFrom("poweroff", "reboot", "kexec"), why }),
  "system.reclaim": fc.record({ why }),
  "service.list": nothing,
  "service.start": change,
  "service.stop": change,
  "service.restart": change,
  "service.define": fc.record({ service, definition, why }),
  "service.remove": change,
  "service.defined": nothing,
  "config.packages": nothing,
  "config.sensors": nothing,
  "config.strategic": nothing,
  "events.subscribe": fc.record({ after: fc.constantFrom(null, "", "0badcafe-init-1", "0badcafe-init-99999999") }),
  "logs.subscribe": fc.record({ service: fc.option(service), backlog: fc.nat(6000) }),
  "logs.unsubscribe": fc.record({ subscription: fc.integer({ min: -1, max: 40 }) }),
  ready: fc.record({ detail: around_the_limit }),
  status: fc.record({ text: around_the_limit }),
  heartbeat: fc.record({
    health: fc.record({
      status: fc.constantFrom("ok", "degraded", "failed"),
      detail: fc.string({ maxLength: 40 }),
      facts: fc.dictionary(fc.string({ maxLength: 8 }), fc.oneof(fc.nat(), fc.string({ maxLength: 8 })), { maxKeys: 2 }),
      resources: fc.record({ rss_bytes: fc.nat(), cpu_ms: fc.nat(), fds: fc.nat() }),
    }),
  }),
};
const likely = fc
  .constantFrom(...Object.entries(params))
  .chain(([method, values]) =>
    fc
      .oneof({ weight: 6, arbitrary: values }, fc.jsonValue())
      .map((value) => ({ jsonrpc: "2.0", method, params: value, ...(method in init_methods && { id: 7 }) })),
  );

/**
 * @param seed makes the same cases again
 * @param tried called after each case
 */
export async function fuzzControl(cases: number, seed: number, tried: () => void = () => {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "control-fuzz-"));
  const rig = makeRig();
  const { supervisor, desk } = rig;
  const doors = new Map<string, Door>();
  for (const name of core_services) {
    const door = makeDoor(join(folder, name), process.getgid?.() ?? 0);
    door.open(welcomeFor(name, desk, supervisor));
    doors.set(join(folder, name), door);
    void supervisor.start(name, "to be fuzzed");
  }
  const thrown: unknown[] = [];
  const onThrown = (error: unknown): void => void thrown.push(error);
  process.on("uncaughtException", onThrown).on("unhandledRejection", onThrown);
  const holds = (): void => {
    if (thrown.length > 0) throw new Error("PID 1 would have ended", { cause: thrown.shift() });
    for (const status of supervisor.statuses()) ServiceStatus.parse(status);
    rig.events.emit("boot.ready", "info", { what: "all", at_ms: 1 });
    rig.logs.add({ service: "memory", stream: "stdout", level: "info", message: "said" });
    tried();
  };
  try {
    await fuzzSockets([...doors.keys()], { cases, seed, likely, holds });
    const peer = await connectUnix(join(folder, "console"), { ...silent, calls: init_methods, tells: init_notifications });
    const listed = (await peer.call("service.list", {})).map(({ name }) => name);
    peer.close("fuzzing is over");
    const lost = core_services.filter((name) => !listed.includes(name));
    if (lost.length > 0) throw new Error(`fuzzing the child protocol failed: "${lost.join('", "')}" is no service any more`);
  } finally {
    process.off("uncaughtException", onThrown).off("unhandledRejection", onThrown);
    for (const door of doors.values()) door.close();
    rig.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
