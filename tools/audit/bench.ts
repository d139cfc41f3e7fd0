/**
 * What the audit costs: durable writes beside plain SQLite inserts of the same rows, and reading a whole chain beside
 * sha256sum of the same bytes. Measured in a process of its own, with the settings that the broker runs with.
 */

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { type BenchRow, percentile } from "../../tooling/bench.ts";
import type { NewEntry } from "./audit.ts";
import { contentText, unnumbered } from "./chain.ts";
import { openAuditFile } from "./open.ts";
import { auditIn, boot, entryOf, reason } from "./testing/records.ts";

const entries_default = 1_000_000;

/** @param folder where there is a disk: a tmpfs has no flush to wait for */
export async function benchAudit(folder: string, entries = entries_default): Promise<BenchRow[]> {
  const child = Bun.spawn([process.execPath, import.meta.path, folder, String(entries)], {
    env: { ...process.env, BUN_JSC_useJIT: "0" },
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error("measuring the audit failed: see above");
  return JSON.parse(text) as BenchRow[];
}

/** As a write of a tier looks in the audit. */
function typical(number: number): NewEntry {
  return entryOf(number, number % 3 === 0 ? "intent" : number % 3 === 1 ? "image" : "outcome", {
    reason: { ...reason("the disk is nearly full: rotating the log of the web server makes room"), confidence: 0.9, model: "small-1" },
    body: { arguments: { path: `/srv/www/log-${number}`, text: "x".repeat(120) }, policies: ["tactical-www"], took_ms: 3.25 },
  });
}

async function writes(folder: string, at_once: number, count: number): Promise<BenchRow> {
  const audit = auditIn(mkdtempSync(join(folder, "bench-audit-")));
  const times: number[] = [];
  const begin_ms = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const start_ms = performance.now();
      await audit.append(typical(next));
      times.push(performance.now() - start_ms);
    }
  };
  await Promise.all(Array.from({ length: at_once }, worker));
  const took_s = (performance.now() - begin_ms) / 1000;
  await audit.close();
  return row(`audit: durable writes, ${at_once} at once`, times, count / took_s, plain(folder, Math.min(count, 2000)));
}

function plain(folder: string, count: number): number[] {
  const db = new Sqlite(join(mkdtempSync(join(folder, "bench-plain-")), "plain.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE rows (seq INTEGER PRIMARY KEY, content TEXT) STRICT");
  const insert = db.prepare("INSERT INTO rows (content) VALUES (?)");
  const times: number[] = [];
  for (let n = 1; n <= count; n += 1) {
    const text = textOf(n);
    const start_ms = performance.now();
    insert.run(text);
    times.push(performance.now() - start_ms);
  }
  db.close();
  return times;
}

function row(name: string, times_ms: number[], value: number, versus_ms: number[]): BenchRow {
  const [sorted, other] = [times_ms, versus_ms].map((all) => all.map((ms) => ms * 1000).sort((a, b) => a - b));
  if (sorted === undefined || other === undefined) throw new Error("measuring failed: no samples");
  const rate = Math.round((1e6 * other.length) / other.reduce((sum, one) => sum + one, 0));
  return {
    name: `${name} (value: entries a second)`,
    ...{ unit: "us", n: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), value: value },
    versus: {
      name: `SQLite, one row a transaction (${rate} a second)`,
      n: other.length,
      p50: percentile(other, 0.5),
      p99: percentile(other, 0.99),
    },
  };
}

function textOf(number: number): string {
  return contentText(unnumbered({ ...typical(number), time_ms: 1_700_000_000_000 + number, boot, boot_ms: number }), number);
}

async function verifying(folder: string, entries: number): Promise<BenchRow[]> {
  const made = mkdtempSync(join(folder, "bench-verify-"));
  const { store, db } = openAuditFile({ folder: made, must_last: false, now: () => new Date() });
  const bytes_file = openSync(join(made, "bytes"), "w");
  for (let n = 1; n <= entries; n += 5000) {
    const numbers = Array.from({ length: Math.min(5000, entries - n + 1) }, (_, at) => n + at);
    const items = numbers.map((m) => unnumbered({ ...typical(m), time_ms: 1_700_000_000_000 + m, boot, boot_ms: m }));
    const added = store.add(items, true);
    writeSync(bytes_file, added.map(({ seq, previous }) => previous + textOf(seq)).join(""));
  }
  closeSync(bytes_file);
  db.close();
  await Bun.file(join(made, "audit.head")).write(`0 ${"0".repeat(64)}\n`);
  const audit = auditIn(made);
  const begin_ms = performance.now();
  const verdict = await audit.verify();
  const took_ms = performance.now() - begin_ms;
  if (!verdict.whole || verdict.entries !== entries) throw new Error(`verifying failed: ${JSON.stringify(verdict).slice(0, 500)}`);
  const start_ms = performance.now();
  Bun.spawnSync(["sha256sum", join(made, "bytes")]);
  const sum_ms = performance.now() - start_ms;
  await audit.close();
  rmSync(made, { recursive: true });
  const versus = { name: "sha256sum of the same bytes", n: 1, p50: sum_ms, p99: sum_ms };
  return [{ name: `audit: verify ${entries} entries`, unit: "ms", n: 1, p50: took_ms, p99: took_ms, value: took_ms, versus }];
}

if (import.meta.main) {
  const [folder = ".", entries] = process.argv.slice(2);
  const rows = [await writes(folder, 1, 1000), await writes(folder, 16, 4000), await writes(folder, 256, 20_000)];
  rows.push(...(await verifying(folder, Number(entries ?? entries_default))));
  process.stdout.write(JSON.stringify(rows));
}
