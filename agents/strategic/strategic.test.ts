/** The strategic tier's process and its models, on the real SDKs: keys, budget, TLS, and what it says of itself. */

import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { z } from "zod";
import { StrategicConfig, type StrategicSettings } from "../../contracts/model/provider.ts";
import { openBootClock } from "../../wire/boot-clock.ts";
import { type FakeInit, startFakeInit } from "../../wire/testing/fake-init.ts";
import { Budget } from "../model/budget/budget.ts";
import { Ledger } from "../model/budget/ledger.ts";
import { authorityIn } from "../model/testing/authority.ts";
import { asks, failing, says, test_key } from "../model/testing/providers.ts";
import { ownFigures } from "../sensors/own.ts";
import { startProvider, type TestProvider } from "../testing/provider/server.ts";
import { strategicHealth } from "./main.ts";
import { Models } from "./models.ts";

const all_there = { broker: "connected", memory: "connected", tools: 1, memory_events: 0 } as const;
const resources = { rss_bytes: 1, cpu_ms: 1, fds: 1 };
const price = { input: 1, output: 10 };
const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(script: Parameters<typeof startProvider>[0]["script"], tls?: { key: string; cert: string }): Promise<TestProvider> {
  const server = await startProvider({ script, key: test_key, ...(tls === undefined ? {} : { tls }) });
  closers.push(() => server.close());
  return server;
}

const settings = (config: z.input<typeof StrategicConfig>): StrategicSettings => ({ config: StrategicConfig.parse(config), problems: [] });

function modelsOf(told: StrategicSettings, folder = mkdtempSync(join(tmpdir(), "strategic-"))) {
  const ledger = new Ledger(folder, { id: "one", clock: openBootClock() });
  const warnings: string[] = [];
  const models = new Models({
    settings: told,
    budget: new Budget(ledger, told.config.budget),
    secrets: join(folder, "secrets"),
    clock: () => performance.now(),
    warn: (text) => warnings.push(text),
  });
  mkdirSync(join(folder, "secrets"), { recursive: true });
  return { models, warnings, folder };
}

/** The process, with PID 1 that tells it these settings; all that it writes. */
function start(told: StrategicSettings): { init: FakeInit; run: string; child: Subprocess; written: () => Promise<string> } {
  const run = mkdtempSync(join(tmpdir(), "strategic-"));
  const init = startFakeInit(run, "strategic");
  Object.assign(init.answers, { "config.strategic": () => told });
  mkdirSync(join(run, "strategic-secrets"));
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "..", "testing", "start.ts"), "strategic", run], {
    stdout: "pipe",
    stderr: "pipe",
  });
  closers.push(() => {
    child.kill("SIGKILL");
    init.close();
  });
  const written = async (): Promise<string> => {
    child.kill("SIGTERM");
    return (await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])).join("\n");
  };
  return { init, run, child, written };
}

test("without a provider it says that there is no key", async () => {
  const { init } = start(settings({}));
  await init.until("it to be ready", () => init.ready.length > 0, 60_000);
  expect(init.ready).toEqual(["no API key configured"]);
  const health = await init.child?.call("health", {});
  expect(health).toMatchObject({ facts: { model: "none" } });
  expect(health?.detail).toContain("no API key configured");
}, 90_000);

test("it names provider, model, breaker and what is left; a key of the vault counts when it comes; it tells no key", async () => {
  const told = settings({
    providers: [
      { kind: "anthropic", model: "claude-opus-5-5", key: { secret: "claude" } },
      { kind: "openai", model: "local", base_url: "http://127.0.0.1:9", key: { value: test_key } },
    ],
  });
  const { init, run, written } = start(told);
  await init.until("it to be ready", () => init.ready.length > 0, 60_000);
  const before = await init.child?.call("health", {});
  expect(before?.facts).toMatchObject({
    provider: "openai",
    model: "local",
    breaker: "closed",
    providers: 2,
    providers_usable: 1,
    budget_hour_usd: 1,
    budget_day_usd: 5,
  });
  expect(before?.detail).toContain("anthropic claude-opus-5-5 has no key");
  writeFileSync(join(run, "strategic-secrets", "claude"), `${test_key}\n`);
  await init.until("the key to be seen", () => init.healths.at(-1)?.facts["provider"] === "anthropic", 60_000);
  expect(init.healths.at(-1)?.facts).toMatchObject({ model: "claude-opus-5-5", providers_usable: 2 });
  const all = `${await written()}\n${JSON.stringify([init.ready, init.healths, init.calls])}`;
  expect(all).toContain('the price of \\"local\\" is not known');
  expect(all).not.toContain(test_key.slice(8, 24));
}, 150_000);

test("a file of a key that PID 1 could not read, and a record that cannot be written, are said", async () => {
  const told = {
    ...settings({ providers: [{ kind: "openai", model: "m", price, key: { file: "/nowhere" } }] }),
    problems: ['reading the key of openai m failed: "/nowhere" is not there'],
  };
  const { init, run, written } = start(told);
  await init.until("it to be ready", () => init.ready.length > 0, 60_000);
  expect((await init.child?.call("health", {}))?.status).toBe("degraded");
  expect(init.ready).toEqual(["no API key configured"]);
  expect(await written()).toContain("/nowhere");
  rmSync(run, { recursive: true });
}, 90_000);

test("a provider that fails and a budget that is nearly used are figures of the sensors", async () => {
  const server = await serve(says("Yes."));
  const provider = { kind: "openai", model: "m", base_url: server.openai_url, key: { value: `${test_key}-wrong` }, price } as const;
  const { models, folder } = modelsOf(settings({ providers: [provider], budget: { hour: { usd: 0.02, tokens: 20_000 } } }));
  await models.start();
  const figures = () => ownFigures([{ name: "strategic", health: { ...strategicHealth(models.state(), true, all_there), resources } }]);
  const value = (figure: string, subject: string) => figures().find((one) => one.figure === figure && one.subject === subject)?.value;
  expect([value("own.providers_failing", "strategic"), value("own.budget_used_ratio", "hour")]).toEqual([0, 0]);
  expect(await failing(models.chat(asks("hello")))).toMatchObject({ kind: "unauthorised" });
  expect(value("own.providers_failing", "strategic")).toBe(1);
  const spent = new Ledger(folder, { id: "one", clock: openBootClock() }).reserve("test", null, { usd: 0.019, tokens: 10 }, () => {});
  expect(spent).toBeGreaterThan(0);
  expect(value("own.budget_used_ratio", "hour")).toBeGreaterThanOrEqual(0.95);
}, 90_000);

test("TLS by an authority of one's own, and by no other", async () => {
  const authority = authorityIn(mkdtempSync(join(tmpdir(), "authority-")));
  const server = await serve(says("Over TLS."), authority.certify("provider", "IP:127.0.0.1"));
  const provider = { kind: "anthropic", model: "m", price, base_url: server.anthropic_url, key: { value: test_key } } as const;
  const with_ca = modelsOf(settings({ providers: [{ ...provider, ca: readFileSync(authority.file, "utf8") }] })).models;
  expect((await with_ca.chat(asks("Well?"))).text).toBe("Over TLS.");
  const without = modelsOf(settings({ providers: [provider] })).models;
  const error = await failing(without.chat(asks("Well?")));
  expect(error).toMatchObject({ kind: "unreachable", spent: "nothing" });
  expect(String(error)).toContain("`ca` of the provider");
  expect(server.requests.length).toBe(1);
}, 60_000);

test("a new key is a new chance for a provider that refused the old one", async () => {
  const server = await serve(says("Yes."));
  const { models, folder } = modelsOf(
    settings({ providers: [{ kind: "openai", model: "m", price, base_url: server.openai_url, key: { secret: "k" } }] }),
  );
  expect(await failing(models.chat(asks("Well?")))).toMatchObject({ kind: "absent" });
  writeFileSync(join(folder, "secrets", "k"), "sk-old");
  expect(await failing(models.chat(asks("Well?")))).toMatchObject({ kind: "unauthorised" });
  expect(await failing(models.chat(asks("Well?")))).toMatchObject({ kind: "unreachable" }); // left alone
  writeFileSync(join(folder, "secrets", "k"), test_key);
  expect((await models.chat(asks("Well?"))).text).toBe("Yes.");
});

test("who is killed while a request is on its way has spent it", async () => {
  const server = await serve(says("A long story.", { faults: [{ kind: "hang", after_events: 3 }] }));
  const folder = mkdtempSync(join(tmpdir(), "strategic-"));
  const told = settings({
    providers: [{ kind: "anthropic", model: "m", price, base_url: server.anthropic_url, key: { value: test_key } }],
    budget: { hour: { usd: 0.01, tokens: 1_000_000 } },
  });
  const code = `
    const { Models } = await import(${JSON.stringify(join(import.meta.dir, "models.ts"))});
    const { Budget } = await import(${JSON.stringify(join(import.meta.dir, "../model/budget/budget.ts"))});
    const { Ledger } = await import(${JSON.stringify(join(import.meta.dir, "../model/budget/ledger.ts"))});
    const settings = ${JSON.stringify(told)};
    const budget = new Budget(new Ledger(${JSON.stringify(folder)}, { id: "one", clock: () => 10000 }), settings.config.budget);
    const models = new Models({ settings, budget, secrets: "/nowhere", clock: () => 0, warn: console.error });
    await models.chat(${JSON.stringify(asks("Tell."))});
  `;
  const child = Bun.spawn([process.execPath, "-e", code], { stderr: "inherit" });
  await server.until("the request", () => server.requests.length === 1, 60_000);
  child.kill("SIGKILL");
  await child.exited;
  const budget = new Budget(new Ledger(folder, { id: "one", clock: () => 20_000 }), told.config.budget);
  expect(budget.left().hour.usd).toBeLessThan(0.005);
  const next = new Models({ settings: told, budget, secrets: "/nowhere", clock: () => 0, warn: () => {} });
  expect(await failing(next.chat(asks("Tell.")))).toMatchObject({ kind: "budget", retry_after_ms: 3_590_000 });
  expect(server.requests.length).toBe(1);
}, 90_000);
