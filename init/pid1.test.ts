/** PID 1 as it is wired together, without processes, in namespaces with a /run of its own (testing/alone.ts). */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../sys/testing.ts";

const here = (name: string): string => JSON.stringify(join(import.meta.dir, name));
const imports = `
import { alone, consoleOf, until } from ${here("testing/alone.ts")};
import { startConsole } from ${here("boot/console.ts")};
import { startServices } from ${here("boot/start-services.ts")};
import { MachineConfig } from ${here("../contracts/config.ts")};
sys.mount.mount({ source: "run", target: "/run", type: "tmpfs" });
const tell = (value) => { console.log(JSON.stringify(value)); process.exit(0); };
`;
const told = (source: string): Promise<unknown> => valueInNamespaces(source, { imports });

test("phases learn whether the loop of supervision turns", async () => {
  const value = await told(`
    const { boot, time } = await alone();
    const before = boot.isHealthy();
    time.ms += 60_000;
    tell([before, boot.isHealthy()]);
  `);
  expect(value).toEqual([true, false]);
});

test("trouble is in the log, and on the kernel's", async () => {
  const value = await told(`
    const { boot, kernel } = await alone();
    boot.log("notice", "of no weight");
    boot.log("warning", "of some weight");
    boot.log("critical", "of all weight");
    tell(kernel);
  `);
  expect(value).toEqual(["warning: of some weight", "critical: of all weight"]);
});

test("services that the config switches off stay stopped; those that it adds run", async () => {
  const value = await told(`
    const config = MachineConfig.parse({
      services: { broker: { enabled: false } }, tiers: { strategic: { enabled: false } },
      extra_services: { extra: { argv: ["/usr/bin/true"] } },
    });
    const { started } = await alone({ config, phases: [startServices] });
    await until(() => started.length >= 6);
    await Bun.sleep(20);
    tell(started.sort());
  `);
  expect(value).toEqual(["console", "extra", "memory", "operational", "reactive", "tactical"]);
});

test("services that wait for each other are said, and keep nothing else from running", async () => {
  const value = await told(`
    const extra = (after) => ({ argv: ["/usr/bin/true"], after: [after] });
    const config = MachineConfig.parse({ extra_services: { x: extra("y"), y: extra("x") } });
    const { pid1, started } = await alone({ config, phases: [startServices] });
    await until(() => started.length >= 7);
    tell({ started, detail: pid1.status().degradations.map(({ detail }) => detail).join() });
  `);
  expect(value).toEqual({
    started: ["console", "memory", "broker", "reactive", "operational", "tactical", "strategic"],
    detail: expect.stringContaining('they wait for each other: "x" after "y" after "x"'),
  });
});

test("a crash loop is said in the status, and taken back when the service is well", async () => {
  const value = await told(`
    const broken = new Set(["tactical"]);
    const { pid1 } = await alone({ broken, phases: [startServices] });
    const of = () => pid1.status().degradations.map(({ what }) => what);
    const peer = await consoleOf();
    const restart = () => peer.call("service.restart", { service: "tactical", why: { who: "test", reason: "again" } });
    let state = "";
    for (let turn = 0; turn < 10 && state !== "crash-loop"; turn += 1) ({ state } = await restart());
    const during = of();
    broken.clear();
    tell({ state, during, at_last: (await restart()).state, after: of() });
  `);
  expect(value).toEqual({ state: "crash-loop", during: ['service "tactical" does not run'], at_last: "ready", after: [] });
});

test("the way down stops the services in order, does what phases left for it, and ends by reboot(2)", async () => {
  const value = await told(`
    const { pid1, boot, ended, said, sys: scripted, started } = await alone({ phases: [startServices], script: [{ call: "power.reboot", args: ["power-off"] }] });
    await until(() => started.length >= 7);
    let worked = 0;
    boot.onShutdown("count", () => void (worked += 1));
    const refusal = pid1.requestShutdown("poweroff", "test");
    await until(() => said.includes("aios: poweroff now"));
    scripted.done();
    tell({ refusal, worked, first: ended.slice(0, 4).sort(), last: ended.slice(-3), state: pid1.status().state });
  `);
  expect(value).toEqual({
    refusal: null,
    worked: 1,
    first: ["operational", "reactive", "strategic", "tactical"],
    last: ["broker", "memory", "console"],
    state: "stopping",
  });
});

test("the watchdog is told to stop at a clean power-off, and guards a restart to its end", async () => {
  const value = await told(`
    const { at_power_off, at_restart } = {
      at_power_off: [
        { call: "device.watchdogPet", args: [9] },
        { call: "clock.nowMs", returns: 1 },
        { call: "descriptor.write", args: [9, Buffer.from("V")], returns: 1 },
        { call: "descriptor.close", args: [9] },
        { call: "power.reboot", args: ["power-off"] },
      ],
      at_restart: [
        { call: "device.watchdogSetTimeout", args: [9, 300], returns: 300 },
        { call: "device.watchdogPet", args: [9] },
        { call: "clock.nowMs", returns: 1 },
        { call: "power.reboot", args: ["restart"] },
      ],
    };
    const down = async (action, script) => {
      const { pid1, boot, said, sys: scripted } = await alone({ script });
      boot.state.watchdog.fd = 9;
      pid1.requestShutdown(action, "test");
      await until(() => said.includes(\`aios: \${action} now\`));
      scripted.done();
      return boot.state.watchdog.fd;
    };
    tell({ off: await down("poweroff", at_power_off), again: await down("reboot", at_restart) });
  `);
  expect(value).toEqual({ off: null, again: 9 });
});

test("maintenance mode is said in the status, and the console is kept", async () => {
  const value = await told(`
    const { pid1, started, said } = await alone();
    const before = [...started];
    pid1.maintenance.enter("work", new Error("scripted"));
    await until(() => started.includes("console"));
    const { state, degradations } = pid1.status();
    tell({ before, started, state, what: degradations.map(({ what }) => what), said: said.some((line) => line.includes("scripted")) });
  `);
  expect(value).toEqual({ before: [], started: ["console"], state: "maintenance", what: ["maintenance mode"], said: true });
});

test("a helper that a phase runs is left to the runtime", async () => {
  const value = await told(`
    const dead = { call: "process.peekDead", returns: 50 };
    const { boot, kernel } = await alone({ script: [dead, dead, dead, dead] });
    boot.ownChild(50, new Promise(() => {}));
    process.emit("SIGCHLD", "SIGCHLD");
    await Bun.sleep(20);
    tell(kernel.filter((line) => line.includes("collect(50)")));
  `);
  expect(value).toEqual([]);
});

test("the console and then all are said to be ready, with what is missing", async () => {
  const value = await told(`
    const { boot, said, started } = await alone({ phases: [startConsole, {
      name: "half", what: "", modes: "both", limit_ms: 1000,
      run: async () => ({ outcome: "degraded", detail: "d", degradation: { what: "the half", detail: "d", todo: "t" } }),
    }] });
    await until(() => said.length >= 2);
    tell(said);
  `);
  expect(value).toEqual(["aios: console ready at 0 ms", "aios: all ready (degraded: the half) at 0 ms"]);
});
