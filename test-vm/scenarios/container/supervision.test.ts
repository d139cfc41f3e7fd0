/** The system keeps its services alive, and can say what happened and why. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { core_services } from "../../../contracts/service.ts";
import { policy } from "../../../init/supervise/policy.ts";
import { type Container, startContainer } from "../../container.ts";
import { testPrograms } from "../../fixtures/programs.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { allReady, decisionWhere, eventWhere, isKind, readyAgain, serviceStatus } from "../expect.ts";
import { without_models } from "../without-models.ts";

const { loop_failures } = policy;

const config = `${without_models}
services:
  tactical: { heartbeat_ms: 2000 }
extra_services:
  foreign: { argv: [/mnt/notify], ready: notify, heartbeat_ms: 1500, sandbox: false }
  boxed: { argv: [/mnt/notify], ready: notify, after: [foreign] }
  looping: { argv: [/mnt/notify, "7"], sandbox: false }
  leaving: { argv: [/mnt/leaves], sandbox: false }
  heirs: { argv: [/mnt/heirs, "8099"], ready: notify }
`;

let container: Container;

beforeAll(async () => {
  container = await startContainer({ data: newFolder("data"), config, programs: await testPrograms() });
  await container.ready("all");
  await allReady(container.console);
}, 300_000);

afterAll(() => container?.kill());

describe("a service that is killed", () => {
  for (const name of core_services) {
    test(`${name} is back, and why is on record`, async () => {
      const before = await serviceStatus(container.console, name);
      if (before.pid === null) throw new Error(`service "${name}" has no pid`);
      process.kill(container.hostPid(before.pid), "SIGKILL");
      const after = await readyAgain(container.console, name, before.pid);
      expect(after.restarts).toBe(before.restarts + 1);
      expect(after.last_exit?.signal).toBe("SIGKILL");
      const exited = await eventWhere(container.console, "service.exited", ({ facts }) => facts.pid === before.pid);
      expect(exited.facts.service).toBe(name);
      if (name === "reactive") return; // its own end is PID 1's alone
      const decision = await decisionWhere(container.console, `about ${exited.id}`, ({ trigger }) => trigger.id === exited.id);
      expect(decision.rule).toBe("service-dead");
      expect(decision.action).toEqual({ do: "restart", service: name });
      expect(decision.reason).toContain("SIGKILL");
      expect(decision.outcome.result).toBe("done");
      const why = await container.console.call("why", { path: { id: decision.id } });
      expect(why.event?.id).toBe(exited.id);
      expect(why.decisions.map((each) => each.id)).toContain(decision.id);
    });
  }
});

test("a service that hangs is killed, restarted, and called hung", async () => {
  const before = await serviceStatus(container.console, "tactical");
  process.kill(container.hostPid(before.pid ?? 0), "SIGSTOP");
  const hung = await eventWhere(container.console, "service.hung", ({ facts }) => facts.service === "tactical");
  expect(hung.facts.pid).toBe(before.pid ?? 0);
  expect(hung.facts.silent_ms).toBeGreaterThanOrEqual(2000);
  const after = await readyAgain(container.console, "tactical", before.pid);
  expect(after.last_exit?.cause).toBe("hang");
  const decision = await decisionWhere(container.console, "about the hang", ({ trigger }) => trigger.id === hung.id);
  expect(decision.rule).toBe("service-hung");
});

describe("a foreign program that speaks sd_notify", () => {
  test("is ready when it says so, and its words are its status", async () => {
    const status = await readyAgain(container.console, "foreign", null);
    expect(status.ready_after_ms).toBeGreaterThanOrEqual(300);
    expect(status.status_text).toBe("well");
  });

  test("may do so from within a sandbox", async () => {
    expect((await readyAgain(container.console, "boxed", null)).status_text).toBe("well");
  });

  test("is restarted when its watchdog falls silent", async () => {
    const before = await serviceStatus(container.console, "foreign");
    process.kill(container.hostPid(before.pid ?? 0), "SIGUSR1");
    await eventWhere(container.console, "service.hung", ({ facts }) => facts.service === "foreign");
    await readyAgain(container.console, "foreign", before.pid);
  });

  test("that reloads is still ready, and says when it is done", async () => {
    const before = await serviceStatus(container.console, "foreign");
    process.kill(container.hostPid(before.pid ?? 0), "SIGHUP");
    const told = (reason: string) =>
      eventWhere(container.console, "service.state", ({ facts }) => facts.service === "foreign" && facts.reason === reason);
    const begun = await told("reloads its configuration");
    expect(begun.facts).toMatchObject({ from: "ready", to: "ready" });
    const ended = await told("has reloaded its configuration");
    expect(ended.boot_ms).toBeGreaterThan(begun.boot_ms);
    const after = await serviceStatus(container.console, "foreign");
    expect(after).toMatchObject({ state: "ready", pid: before.pid, status_text: "well again" });
  });

  test("that says it stops is left to it, and then restarted", async () => {
    const before = await serviceStatus(container.console, "foreign");
    process.kill(container.hostPid(before.pid ?? 0), "SIGUSR2");
    await eventWhere(
      container.console,
      "service.state",
      ({ facts }) => facts.service === "foreign" && facts.to === "stopping" && facts.reason === "says that it stops",
    );
    const after = await readyAgain(container.console, "foreign", before.pid);
    expect(after.last_exit).toEqual({ status: 0, signal: null, cause: "stopping by itself" });
  });

  test("that says it stops and does not is ended", async () => {
    const before = await serviceStatus(container.console, "foreign");
    process.kill(container.hostPid(before.pid ?? 0), "SIGWINCH");
    const after = await readyAgain(container.console, "foreign", before.pid);
    expect(after.last_exit).toEqual({ status: null, signal: "SIGKILL", cause: "stopping by itself" });
  });

  test("has its stdout and stderr captured", async () => {
    const records = await waitFor(
      "its lines",
      async () => {
        const found = await container.console.list("logs", { query: { service: "foreign", lines: "200" } });
        return found.some(({ message }) => message === "a line on stderr") && found;
      },
      { limit_ms: 120_000 },
    );
    const line = records.find(({ message }) => message === "a line on stdout");
    expect(line?.stream).toBe("stdout");
    expect(records.find(({ message }) => message === "a line on stderr")?.stream).toBe("stderr");
  });
});

describe("a service that cannot run", () => {
  test("is left in a crash loop, and the rest is well", async () => {
    const state = await waitFor(
      "the crash loop",
      async () => {
        const now = await serviceStatus(container.console, "looping");
        return now.state === "crash-loop" && now;
      },
      { limit_ms: 120_000, every_ms: 100 },
    );
    expect(state.last_exit?.status).toBe(7);
    expect(state.pid).toBeNull();
    // until it was given up for the first time: it is tried again later, and when a tier asks for that
    const events = await container.console.list("events", { query: { service: "looping", lines: "1000" } });
    const given_up_ms = events.find((event) => isKind(event, "service.state") && event.facts.to === "crash-loop")?.boot_ms ?? 0;
    const before = events.filter((event) => isKind(event, "service.exited") && event.boot_ms <= given_up_ms);
    expect(before.length).toBeGreaterThanOrEqual(loop_failures);
    // a tier that asked meanwhile may have begun the count anew, once
    expect(before.length).toBeLessThanOrEqual(2 * loop_failures);
    const decision = await decisionWhere(container.console, "about the loop", ({ rule }) => rule === "service-crash-loop");
    expect(decision.action).toEqual({ do: "log" });
    await allReady(container.console);
  });

  test("is tried again when a person asks for it", async () => {
    const before = await serviceStatus(container.console, "looping");
    await container.console.call("service_restart", { path: { name: "looping" } }).catch(() => null);
    await waitFor("another try", async () => (await serviceStatus(container.console, "looping")).restarts > before.restarts, {
      limit_ms: 120_000,
    });
  });
});

describe("orphans", () => {
  test("1,000 of them leave no zombie, and exit codes stay right", async () => {
    const before = await serviceStatus(container.console, "operational");
    const flood = container.sh(["sh", "-c", "i=0; while [ $i -lt 1000 ]; do (sh -c 'exit 5' &); i=$((i + 1)); done"]);
    process.kill(container.hostPid(before.pid ?? 0), "SIGKILL");
    await container.console.call("service_restart", { path: { name: "looping" } }).catch(() => null);
    expect((await flood).status).toBe(0);
    const zombies = (): number => container.processes().filter(({ state }) => state === "Z").length;
    await waitFor("no zombies", () => zombies() === 0, { limit_ms: 120_000 });
    expect((await serviceStatus(container.console, "looping")).last_exit).toEqual({ status: 7, signal: null, cause: null });
    const after = await readyAgain(container.console, "operational", before.pid);
    expect(after.last_exit?.signal).toBe("SIGKILL");
  });
});

describe("services by request", () => {
  test("stop, start and restart do what they say", async () => {
    const call = container.console;
    expect((await call.call("service_stop", { path: { name: "boxed" } })).name).toBe("boxed");
    await waitFor("the stop", async () => (await serviceStatus(call, "boxed")).state === "stopped", { limit_ms: 120_000 });
    await call.call("service_start", { path: { name: "boxed" } });
    const running = await readyAgain(call, "boxed", null);
    await call.call("service_restart", { path: { name: "boxed" } });
    expect((await readyAgain(call, "boxed", running.pid)).state).toBe("ready");
  });

  test("a sandboxed service that is stopped hears TERM and ends by itself", async () => {
    const call = container.console;
    await call.call("service_stop", { path: { name: "strategic" } });
    expect((await serviceStatus(call, "strategic")).last_exit).toMatchObject({ status: 0, signal: null });
    await call.call("service_start", { path: { name: "strategic" } });
    await readyAgain(call, "strategic", null);
  });

  test("what a service started and left behind ends with it", async () => {
    const left = (): number => container.processes().filter(({ name, state }) => name === "left-behind" && state !== "Z").length;
    await waitFor("what it leaves", () => left() === 1, { limit_ms: 120_000 });
    await container.console.call("service_stop", { path: { name: "leaving" } });
    await waitFor("its end", () => left() === 0, { limit_ms: 120_000 });
  });

  test("a restart waits until all of it is gone: what it has started holds its port", async () => {
    let running = await readyAgain(container.console, "heirs", null);
    for (let n = 0; n < 10; n += 1) {
      await container.console.call("service_restart", { path: { name: "heirs" } });
      running = await readyAgain(container.console, "heirs", running.pid);
      expect(running.last_exit).toMatchObject({ status: null, signal: "SIGTERM" });
    }
  }, 120_000);

  test("a service that does not exist is refused", async () => {
    expect(container.console.call("service_restart", { path: { name: "nobody" } })).rejects.toThrow("404");
  });
});

test("services start in the order of what they come after", async () => {
  const events = await container.console.list("events", { query: { kind: "service.state", lines: "1000" } });
  const first = (service: string, to: string): number => {
    const found = events.find((event) => event.kind === "service.state" && event.facts.service === service && event.facts.to === to);
    if (found === undefined) throw new Error(`there is no event of "${service}" becoming ${to}`);
    return found.boot_ms;
  };
  const order = {
    memory: ["console"],
    broker: ["memory"],
    reactive: ["memory"],
    operational: ["broker"],
    tactical: ["broker"],
    boxed: ["foreign"],
  };
  for (const [service, before] of Object.entries(order)) {
    for (const each of before) expect(first(service, "starting"), `${service} after ${each}`).toBeGreaterThanOrEqual(first(each, "ready"));
  }
});

test("PID 1 is one process that survives all of this", () => {
  expect(container.processes()[0]?.pids[1]).toBe(1);
  expect(readFileSync(`/proc/${container.pid}/status`, "utf8")).toContain("NSpid");
  expect(container.log()).not.toContain("maintenance");
});
