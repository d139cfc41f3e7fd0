import { expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiBudget } from "../../../contracts/model/provider.ts";
import { ChatError } from "../port.ts";
import { Budget } from "./budget.ts";
import { keepTime, Ledger } from "./ledger.ts";

const hour_ms = 3_600_000;
const much = { usd: 1000, tokens: 1_000_000_000 };
const limits: ApiBudget = { hour: { usd: 1, tokens: 1000 }, day: { usd: 3, tokens: 1_000_000 }, incident: much };

const fresh = (): string => mkdtempSync(join(tmpdir(), "budget-"));

function open(folder: string, { boot = "one", time = { ms: 10_000 }, limit = limits } = {}) {
  const ledger = new Ledger(folder, { id: boot, clock: () => time.ms });
  return { ledger, budget: new Budget(ledger, limit), time };
}

function refusal(work: () => unknown): ChatError {
  try {
    work();
  } catch (error) {
    if (error instanceof ChatError) return error;
    throw error;
  }
  throw new Error("it was to be refused and was not");
}

test("what may be spent is kept free before, and put right after", () => {
  const { budget } = open(fresh());
  const first = budget.reserve("a", null, { usd: 0.75, tokens: 100 });
  expect(refusal(() => budget.reserve("a", null, { usd: 0.5, tokens: 100 })).kind).toBe("budget");
  first.settle({ usd: 0.25, tokens: 50 });
  expect(budget.left()).toEqual({
    hour: { usd: 0.75, tokens: 950 },
    day: { usd: 2.75, tokens: 999_950 },
    used_ratio: { hour: 0.25, day: 0.25 / 3 },
  });
  budget.reserve("a", null, { usd: 0.75, tokens: 100 });
  first.settle({ usd: 0, tokens: 0 }); // too late
  expect(budget.left().hour).toEqual({ usd: 0, tokens: 850 });
});

test("tokens have a limit of their own", () => {
  const { budget } = open(fresh());
  budget.reserve("a", null, { usd: 0, tokens: 990 });
  expect(refusal(() => budget.reserve("a", null, { usd: 0, tokens: 11 })).message).toBe(
    "asking a does not fit the budget: it may take $0.0000 and 11 tokens, the last hour took $0.0000 and 990 tokens, and tiers.strategic.budget.hour is $1.0000 and 1000 tokens; it fits after 60 minutes of running, or when that is raised",
  );
  budget.reserve("a", null, { usd: 0, tokens: 10 });
});

test("it says when it is free again, and it is", () => {
  const { budget, time } = open(fresh());
  budget.reserve("a", null, { usd: 0.5, tokens: 0 });
  time.ms += 600_000;
  budget.reserve("a", null, { usd: 0.5, tokens: 0 });
  const small = refusal(() => budget.reserve("a", null, { usd: 0.4, tokens: 0 }));
  expect(small.retry_after_ms).toBe(hour_ms - 600_000);
  expect(refusal(() => budget.reserve("a", null, { usd: 0.9, tokens: 0 })).retry_after_ms).toBe(hour_ms);
  expect(refusal(() => budget.reserve("a", null, { usd: 1.1, tokens: 0 })).retry_after_ms).toBeNull();
  time.ms += (small.retry_after_ms ?? 0) - 1;
  expect(refusal(() => budget.reserve("a", null, { usd: 0.4, tokens: 0 })).retry_after_ms).toBe(1);
  time.ms += 1;
  budget.reserve("a", null, { usd: 0.4, tokens: 0 });
});

test("the day counts beyond the hour", () => {
  const { budget, time } = open(fresh());
  for (let n = 0; n < 3; n += 1) {
    budget.reserve("a", null, { usd: 1, tokens: 0 });
    time.ms += 2 * hour_ms;
  }
  const error = refusal(() => budget.reserve("a", null, { usd: 1, tokens: 0 }));
  expect(error.message).toContain("the last day");
  expect(error.retry_after_ms).toBe(18 * hour_ms);
});

test("an incident has a budget that no time frees", () => {
  const { budget, time } = open(fresh(), { limit: { ...limits, incident: { usd: 0.5, tokens: 100 } } });
  budget.reserve("a", "disk-1", { usd: 0.5, tokens: 10 }).settle({ usd: 0.4, tokens: 10 });
  time.ms += 48 * hour_ms;
  const error = refusal(() => budget.reserve("a", "disk-1", { usd: 0.2, tokens: 10 }));
  expect(error.message).toContain('the incident "disk-1"');
  expect(error.retry_after_ms).toBeNull();
  budget.reserve("a", "disk-2", { usd: 0.2, tokens: 10 });
  budget.reserve("a", "disk-1", { usd: 0.1, tokens: 10 });
});

test("it holds over a restart, and over a boot: then only what the new boot clock shows has passed", () => {
  const folder = fresh();
  const before = open(folder, { time: { ms: 5 * hour_ms } });
  before.budget.reserve("a", null, { usd: 1, tokens: 0 });
  before.ledger.close();
  const restarted = open(folder, { time: { ms: 5 * hour_ms + 60_000 } });
  expect(refusal(() => restarted.budget.reserve("a", null, { usd: 1, tokens: 0 })).retry_after_ms).toBe(hour_ms - 60_000);
  restarted.ledger.tick();
  restarted.ledger.close();
  const booted = open(folder, { boot: "two", time: { ms: 30_000 } });
  expect(refusal(() => booted.budget.reserve("a", null, { usd: 1, tokens: 0 })).retry_after_ms).toBe(hour_ms - 90_000);
  booted.time.ms = hour_ms;
  booted.budget.reserve("a", null, { usd: 1, tokens: 0 });
});

test("no wall clock frees it", () => {
  const { budget } = open(fresh());
  budget.reserve("a", null, { usd: 1, tokens: 0 });
  const real = Date.now;
  try {
    Date.now = () => real() + 1000 * hour_ms;
    expect(refusal(() => budget.reserve("a", null, { usd: 1, tokens: 0 })).kind).toBe("budget");
  } finally {
    Date.now = real;
  }
});

test("a damaged record counts as all of it spent", () => {
  const folder = fresh();
  writeFileSync(join(folder, "budget.db"), "this is no database, whatever its name says".repeat(100));
  const { budget, ledger } = open(folder);
  expect(ledger.damage).toContain("it is kept as");
  expect(budget.left()).toEqual({ hour: { usd: 0, tokens: 0 }, day: { usd: 0, tokens: 0 }, used_ratio: { hour: 1, day: 1 } });
});

test("a record that cannot be written ends all spending", () => {
  const { budget, ledger } = open(fresh());
  ledger.close();
  const error = refusal(() => budget.reserve("a", null, { usd: 0.1, tokens: 0 }));
  expect(error.kind).toBe("budget");
  expect(error.message).toContain("nothing is spent while that is so");
});

test("who is killed after the reservation has spent it", async () => {
  const folder = fresh();
  const code = `
    import { Budget } from ${JSON.stringify(join(import.meta.dir, "budget.ts"))};
    import { Ledger } from ${JSON.stringify(join(import.meta.dir, "ledger.ts"))};
    const budget = new Budget(new Ledger(${JSON.stringify(folder)}, { id: "one", clock: () => 10_000 }), ${JSON.stringify(limits)});
    budget.reserve("a", "x", { usd: 0.75, tokens: 100 });
    process.stdout.write("reserved\\n");
    await new Promise((resolve) => setTimeout(resolve, 1e9));
  `;
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("reserved\n");
  child.kill("SIGKILL");
  await child.exited;
  const { budget, ledger } = open(folder);
  expect(ledger.damage).toBeNull();
  expect(budget.left().hour).toEqual({ usd: 0.25, tokens: 900 });
  expect(refusal(() => budget.reserve("a", null, { usd: 0.5, tokens: 1 })).kind).toBe("budget");
});

test("a record that cannot be written ends nobody, and nothing is spent until it can be", () => {
  const { ledger, budget } = open(fresh());
  ledger.close();
  const said: string[] = [];
  keepTime(ledger, (sentence) => void said.push(sentence));
  expect(said).toEqual([expect.stringContaining("writing down the time in the record of spending failed: ")]);
  expect(refusal(() => budget.reserve("a", null, { usd: 0.01, tokens: 1 })).message).toContain("nothing is spent while that is so");
});
