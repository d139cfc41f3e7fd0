import { expect, test } from "bun:test";
import type { LogRecord } from "../../contracts/event.ts";
import { Keeper } from "../keeper.ts";
import { diskFolder } from "../testing/folder.ts";
import { LogIntake, withLogs } from "./log-intake.ts";
import { MineCommit } from "./mine-commit.ts";

function record(seq: number, message = `request ${seq} done`, boot_ms = seq * 10): LogRecord {
  return { seq, time_ms: 1_790_000_000_000 + boot_ms, boot_ms, service: "web", stream: "stdout", level: "info", message };
}

function opened(folder = diskFolder("log-intake")) {
  const keeper = new Keeper(folder);
  const commit = new MineCommit(keeper);
  const logs = new LogIntake(commit, () => keeper.parts.templates.cursor());
  const lines = (): number =>
    keeper.parts.templates.db.prepare<[], { n: number | null }>("SELECT sum(lines) AS n FROM templates").get()?.n ?? 0;
  return { keeper, logs, lines, folder };
}

async function taken(logs: LogIntake, records: readonly LogRecord[]): Promise<void> {
  for (const one of records) logs.take(one);
  logs.start();
  while (logs.held > 0) await logs.flush();
}

const some = (from: number, to: number): LogRecord[] => Array.from({ length: to - from }, (_, n) => record(from + n));

test("a restart of memory counts each record of PID 1 once, whatever PID 1 still holds", async () => {
  const one = opened();
  await taken(one.logs, some(1, 40));
  expect(one.lines()).toBe(39);
  one.keeper.close();
  const again = opened(one.folder);
  await taken(again.logs, some(20, 60));
  expect(again.lines()).toBe(59);
  again.keeper.close();
  // all that was counted is gone from PID 1
  const later = opened(one.folder);
  await taken(later.logs, some(80, 90));
  expect(later.lines()).toBe(69);
});

test("after a boot the numbers begin again, and all is counted", async () => {
  const one = opened();
  await taken(one.logs, some(1, 40));
  one.keeper.close();
  const again = opened(one.folder);
  await taken(
    again.logs,
    Array.from({ length: 50 }, (_, n) => record(n + 1, "another boot", n * 7 + 3)),
  );
  expect(again.lines()).toBe(39 + 50);
});

test("a disk that cannot be written: lines are held, the newest of them, what is lost is counted and said; then it goes on", async () => {
  const { keeper, logs, lines } = opened();
  const flood = Array.from({ length: 25_000 }, (_, n) => record(n + 1, `one ${"x".repeat(n % 7)} of many`));
  for (const one of flood) logs.take(one);
  logs.start();
  keeper.parts.templates.db.pragma("query_only = ON");
  await logs.flush();
  expect(logs.held).toBe(20_000);
  expect(logs.dropped).toBe(5000);
  const health = withLogs(keeper.health(0, 0), logs);
  expect(health.status).toBe("degraded");
  expect(health.detail).toContain("5000 log lines were not understood");
  keeper.parts.templates.db.pragma("query_only = OFF");
  while (logs.held > 0) await logs.flush();
  expect(lines()).toBe(20_000);
  expect(logs.taken).toBe(20_000);
});

test("fields of a record are part of its line", async () => {
  const { keeper, logs } = opened();
  await taken(logs, [{ ...record(1, "job done"), fields: { took_ms: 12, who: "a b" } }]);
  expect(keeper.parts.templates.db.prepare("SELECT pattern FROM templates").get()).toEqual({
    pattern: 'job done took_ms= \u0002 who= "\u0013"',
  });
});
