import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { AuditEntry, AuditQuery } from "../../contracts/audit.ts";
import { canonicalJson } from "./canonical.ts";
import { auditIn, boot, entryOf, newFolder, reason, steppingClock } from "./testing/records.ts";

const ask = (query: Partial<AuditQuery> = {}): AuditQuery => AuditQuery.parse(query);
const raw = (folder: string): Sqlite.Database => new Sqlite(join(folder, "audit.db"));

/** Changes the file as somebody would who has root and knows SQLite. */
function tamper(folder: string, ...statements: string[]): void {
  const db = raw(folder);
  const triggers = db.prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all();
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
  for (const statement of statements) db.exec(statement);
  for (const { sql } of triggers) db.exec(sql);
  db.close();
}

async function filled(folder: string, entries = 10): Promise<void> {
  const audit = auditIn(folder);
  await Promise.all(Array.from({ length: entries }, (_, n) => audit.append(entryOf(n + 1))));
  await audit.close();
}

test("an entry gets number, times and hashes; its hash is that of the text before it and its canonical JSON", async () => {
  const folder = newFolder();
  const audit = auditIn(folder);
  const [first, second] = await Promise.all([audit.append(entryOf(1, "intent")), audit.append(entryOf(1))]);
  expect([first.seq, second.seq, second.previous]).toEqual([1, 2, first.hash]);
  expect(AuditEntry.parse(second)).toEqual(second);
  expect(first).toMatchObject({ boot, boot_ms: 2, time_ms: 1_700_000_000_001, previous: "0".repeat(64) });
  for (const { previous, hash, ...content } of [first, second]) {
    expect(
      createHash("sha256")
        .update(`${previous}${canonicalJson(content)}`)
        .digest("hex"),
    ).toBe(hash);
  }
  expect(audit.head).toBe(second.hash);
  await audit.close();
  const again = auditIn(folder);
  expect(again.ofCall(`${boot}-call-1`)).toEqual([first, second]);
  expect(again.degradation).toBeNull();
  expect(await again.verify()).toMatchObject({ whole: true, entries: 2, head: second.hash, faults: [] });
  await again.close();
});

test("entries of one turn share one commit, and notes keep their place among them", async () => {
  const folder = newFolder();
  const audit = auditIn(folder);
  audit.note(entryOf(1));
  const second = audit.append(entryOf(2));
  audit.note(entryOf(3));
  const fourth = audit.append(entryOf(4));
  expect([(await second).seq, (await fourth).seq]).toEqual([2, 4]);
  expect(audit.query(ask()).map(({ call }) => call)).toEqual([4, 3, 2, 1].map((n) => `${boot}-call-${n}`));
  await audit.close();
});

test("a note is in the file without anybody asking, and a query sees it at once", async () => {
  const folder = newFolder();
  const audit = auditIn(folder);
  audit.note(entryOf(1));
  expect(audit.query(ask())).toHaveLength(1);
  audit.note(entryOf(2));
  const reader = raw(folder);
  const count = reader.prepare<[], { n: number }>("SELECT count(*) AS n FROM entries");
  while (count.get()?.n !== 2) await Bun.sleep(10);
  reader.close();
  await audit.close();
});

test("rows cannot be changed, removed, put between or replaced, not even by the owner's own connection", async () => {
  const folder = newFolder();
  await filled(folder, 3);
  const db = raw(folder);
  const zeros = "0".repeat(64);
  for (const statement of [
    "UPDATE entries SET content = '{}' WHERE seq = 2",
    "DELETE FROM entries WHERE seq = 3",
    "DELETE FROM resources",
    "UPDATE resources SET id = 'x'",
    `INSERT OR REPLACE INTO entries (seq, previous, hash, content) VALUES (2, '${zeros}', '${zeros}', '{}')`,
    `INSERT INTO entries (seq, previous, hash, content) VALUES (9, '${zeros}', '${zeros}', '{}')`,
  ]) {
    expect(() => db.exec(statement)).toThrow(/only ever added/);
  }
  db.close();
  const audit = auditIn(folder);
  expect((await audit.verify()).whole).toBe(true);
  await audit.close();
});

test("queries by time, tool, principal, event, group, status, resource and text, newest first, page by page", async () => {
  const audit = auditIn(newFolder());
  await audit.append(entryOf(1, "outcome", { tool: "fs.read", principal: "person:operator", event: `${boot}-init-5` }));
  await audit.append(entryOf(2, "outcome", { group: "decision:7", status: "failed", reason: reason("the disk is nearly full") }));
  await audit.append(
    entryOf(3, "outcome", { tool: "net.firewall", resources: [{ kind: "port", id: "tcp:443", access: "write", attributes: {} }] }),
  );
  await audit.append(entryOf(4, "outcome", { body: { arguments: { note: 'words with "quotes" and 8080' } } }));
  const seqs = (query: Partial<AuditQuery>): number[] => audit.query(ask(query)).map(({ seq }) => seq);
  expect(seqs({})).toEqual([4, 3, 2, 1]);
  expect(seqs({ limit: 2 })).toEqual([4, 3]);
  expect(seqs({ limit: 2, before_seq: 3 })).toEqual([2, 1]);
  expect(seqs({ tool: "fs.*" })).toEqual([4, 2, 1]);
  expect(seqs({ tool: "fs.read" })).toEqual([1]);
  expect(seqs({ principal: "person:operator" })).toEqual([1]);
  expect(seqs({ event: `${boot}-init-5` })).toEqual([1]);
  expect(seqs({ group: "decision:7" })).toEqual([2]);
  expect(seqs({ status: "failed" })).toEqual([2]);
  expect(seqs({ kind: "intent" })).toEqual([]);
  expect(seqs({ resource: "/srv/*" })).toEqual([4, 2, 1]);
  expect(seqs({ resource: "tcp:443" })).toEqual([3]);
  expect(seqs({ call: `${boot}-call-3` })).toEqual([3]);
  expect(seqs({ text: "disk full" })).toEqual([2]);
  expect(seqs({ text: "nearl*" })).toEqual([2]);
  expect(seqs({ text: '"quotes" 8080' })).toEqual([4]);
  expect(seqs({ text: "443" })).toEqual([3]);
  expect(seqs({ text: "arguments" })).toEqual([]);
  expect(seqs({ text: "* NEAR( ' OR \0 \"" })).toEqual([]);
  expect(seqs({ text: "   " })).toEqual([4, 3, 2, 1]);
  const times = audit.query(ask()).map(({ time_ms }) => time_ms);
  expect(seqs({ since_ms: times[2] ?? 0, until_ms: times[1] ?? 0 })).toEqual([3, 2]);
  await audit.close();
});

test("an answer stays below a frame however large the entries are, and paging reaches all of them", async () => {
  const audit = auditIn(newFolder());
  await Promise.all(Array.from({ length: 40 }, (_, n) => audit.append(entryOf(n + 1, "outcome", { body: { text: "x".repeat(30_000) } }))));
  const seen: number[] = [];
  for (let before_seq: number | null = null; ; before_seq = seen.at(-1) ?? 0) {
    const page = audit.query(ask({ before_seq, limit: 500 }));
    expect(JSON.stringify(page).length).toBeLessThan(256 * 1024);
    if (page.length === 0) break;
    seen.push(...page.map(({ seq }) => seq));
  }
  expect(seen).toEqual(Array.from({ length: 40 }, (_, n) => 40 - n));
  await audit.close();
});

test("too large an intent is refused, too large an outcome is cut and says so; what is not JSON fails alone", async () => {
  const audit = auditIn(newFolder());
  const body = { text: "x".repeat(300_000) };
  const good = audit.append(entryOf(1));
  await expect(audit.append(entryOf(2, "intent", { body }))).rejects.toThrow("make the arguments smaller");
  await expect(audit.append(entryOf(3, "outcome", { body: { bad: Number.NaN } }))).rejects.toThrow("no number of JSON");
  expect((await audit.append(entryOf(4, "outcome", { body }))).body).toMatchObject({ cut: true, chars: 300_011 });
  expect((await good).seq).toBe(1);
  expect((await audit.verify()).entries).toBe(2);
  await audit.close();
});

test("calls with an intent and no outcome are known after a restart, and the highest number of this boot", async () => {
  const folder = newFolder();
  const audit = auditIn(folder);
  await audit.append(entryOf(12, "intent"));
  await audit.append(entryOf(12, "image"));
  await audit.append(entryOf(3, "intent"));
  await audit.append(entryOf(4, "intent"));
  await audit.append(entryOf(4, "outcome"));
  await audit.append(entryOf(99, "outcome", { call: "11111111-call-99" }));
  await audit.close();
  const again = auditIn(folder);
  const open = again.unfinished();
  expect([...open.keys()]).toEqual([12, 3].map((n) => `${boot}-call-${n}`));
  expect(open.get(`${boot}-call-12`)?.map(({ kind }) => kind)).toEqual(["intent", "image"]);
  expect(again.lastCallNumber()).toBe(12);
  await again.close();
  const other = auditIn(folder, { boot: "22222222" });
  expect(other.lastCallNumber()).toBe(0);
  await other.close();
});

const tamperings: readonly [what: string, statements: readonly string[], fault: string, seq: number][] = [
  [
    "a changed text",
    ["UPDATE entries SET content = replace(content, 'hello', 'holla') WHERE seq = 4"],
    "its content does not fit its hash",
    4,
  ],
  [
    "a changed time",
    ["UPDATE entries SET content = json_set(content, '$.time_ms', 1) WHERE seq = 4"],
    "its content does not fit its hash",
    4,
  ],
  ["a missing row", ["DELETE FROM entries WHERE seq = 5"], "entry 5 is missing before it", 6],
  [
    "a missing row with the rest moved up",
    ["DELETE FROM entries WHERE seq = 5", "UPDATE entries SET seq = seq - 1 WHERE seq > 5"],
    "it does not follow the entry before it",
    5,
  ],
  [
    "two rows swapped",
    [
      "UPDATE entries SET seq = 100 WHERE seq = 3",
      "UPDATE entries SET seq = 3 WHERE seq = 4",
      "UPDATE entries SET seq = 4 WHERE seq = 100",
    ],
    "it does not follow the entry before it",
    3,
  ],
  ["a row of one's own, hashes right", ["UPDATE entries SET previous = hash WHERE seq = 2"], "it does not follow", 2],
  ["a hidden resource", ["DELETE FROM resources WHERE id = '/srv/7'"], "queries by resource miss it", 7],
  ["the end cut off", ["DELETE FROM entries WHERE seq > 8"], "entries 9 to 10 are missing", 9],
];
test.each(tamperings)("verify finds %s", async (_, statements, fault, seq) => {
  const folder = newFolder();
  await filled(folder);
  tamper(folder, ...statements);
  const audit = auditIn(folder);
  const verdict = await audit.verify();
  expect(verdict.whole).toBe(false);
  expect(verdict.faults.some((one) => one.seq === seq && one.what.includes(fault))).toBe(true);
  await audit.close();
});

test("verify finds what is cut or changed while the broker runs, and a head that does not fit; calls go on meanwhile", async () => {
  const folder = newFolder();
  await filled(folder, 2000);
  const audit = auditIn(folder);
  const verifying = audit.verify();
  await audit.append(entryOf(2001));
  expect(await verifying).toMatchObject({ whole: true, entries: 2000 });
  tamper(folder, "DELETE FROM entries WHERE seq = 2001");
  expect((await audit.verify()).faults[0]?.what).toContain("entry 2001 is missing at the end");
  await audit.close();
});

test("a chain whose end was cut goes on with an entry that says so, also after the next start", async () => {
  const folder = newFolder();
  await filled(folder);
  tamper(folder, "DELETE FROM entries WHERE seq > 8");
  const audit = auditIn(folder);
  expect([audit.degradation, audit.lossy]).toEqual([null, true]);
  expect(audit.notice).toContain("entries 9 to 10 are missing");
  await audit.append(entryOf(11));
  await audit.close();
  const again = auditIn(folder);
  expect(again.lossy).toBe(false);
  expect((await again.verify()).faults).toEqual([{ seq: 9, what: expect.stringContaining("entries 9 to 10 are missing") }]);
  await again.close();
});

test("a database that is gone although its head is told, and a head that is gone although there are entries", async () => {
  const folder = newFolder();
  await filled(folder, 3);
  const kept = readFileSync(join(folder, "audit.db"));
  for (const name of ["audit.db", "audit.db-wal", "audit.db-shm"])
    await Bun.file(join(folder, name))
      .delete()
      .catch(() => {});
  const audit = auditIn(folder);
  expect((await audit.verify()).faults[0]?.what).toContain("entries 1 to 3 are missing");
  await audit.close();
  const other = newFolder();
  writeFileSync(join(other, "audit.db"), kept);
  const headless = auditIn(other);
  expect((await headless.verify()).faults[0]?.what).toContain("is missing or unreadable");
  await headless.close();
});

test("the head is told beside the database and to the kernel's log: at the start, every 64 entries, at the end", async () => {
  const folder = newFolder();
  const kmsg = join(folder, "kmsg");
  const told = (): string => readFileSync(join(folder, "audit.head"), "utf8");
  const audit = auditIn(folder, { kmsg });
  expect(told()).toBe(`0 ${"0".repeat(64)}\n`);
  await Promise.all(Array.from({ length: 63 }, (_, n) => audit.append(entryOf(n + 1))));
  expect(told()).toStartWith("0 ");
  const last = await audit.append(entryOf(64));
  expect(told()).toBe(`64 ${last.hash}\n`);
  expect(readFileSync(kmsg, "utf8")).toBe(`<14>aios-audit: seq=64 head=${last.hash}\n`);
  const after = await audit.append(entryOf(65));
  await audit.close();
  expect(told()).toBe(`65 ${after.hash}\n`);
});

test("no kernel log, or one that cannot be written: said, and no reason to refuse changes", async () => {
  const none = auditIn(newFolder());
  expect([none.notice, none.degradation]).toEqual([expect.stringContaining("there is none here"), null]);
  await none.close();
  const problems: string[] = [];
  const audit = auditIn(newFolder(), { kmsg: "/proc/no-such-file", onProblem: (what) => void problems.push(what) });
  expect(audit.notice).toContain('writing to "/proc/no-such-file" failed');
  expect(problems).toHaveLength(1);
  expect((await audit.append(entryOf(1))).seq).toBe(1);
  await audit.close();
});

const damages: readonly [string, (bytes: Buffer) => Buffer][] = [
  ["a broken header", (bytes) => Buffer.concat([Buffer.alloc(100, 0xff), bytes.subarray(100)])],
  ["a file cut short", (bytes) => bytes.subarray(0, 5000)],
  ["something else", () => Buffer.from("this is not a database, but long enough to look at ".repeat(100))],
];
test.each(damages)("%s: kept aside as it was; the new chain names the head that it follows", async (_, damage) => {
  const folder = newFolder();
  await filled(folder, 5);
  const [, head] = readFileSync(join(folder, "audit.head"), "utf8").trim().split(" ");
  const broken = damage(readFileSync(join(folder, "audit.db")));
  writeFileSync(join(folder, "audit.db"), broken);
  const audit = auditIn(folder);
  expect([audit.degradation, audit.lossy]).toEqual([null, true]);
  const kept = readdirSync(folder).find((name) => name.startsWith("audit-damaged-") && name.endsWith(".db"));
  expect(readFileSync(join(folder, kept ?? "")).equals(broken)).toBe(true);
  const [first] = audit.query(ask());
  expect(first).toMatchObject({ seq: 1, kind: "start", principal: "system", body: { known_seq: 5, known_head: head } });
  expect((await audit.append(entryOf(6))).previous).toBe(first?.hash ?? "");
  await audit.close();
});

test("damage that is met while running: a new chain begins and what was being written is in it", async () => {
  const folder = newFolder();
  const audit = auditIn(folder);
  await Promise.all(Array.from({ length: 300 }, (_, n) => audit.append(entryOf(n + 1))));
  const path = join(folder, "audit.db");
  const db = raw(folder);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 4096), Buffer.alloc(300_000, 0xa5)]));
  const written = await audit.append(entryOf(301));
  expect(written.seq).toBe(2);
  expect(audit.query(ask()).map(({ kind }) => kind)).toEqual(["outcome", "start"]);
  expect(audit.lossy).toBe(true);
  await audit.close();
});

test("a schema from the future is refused and its file not touched: changes are refused, reading is noted in RAM", async () => {
  const folder = newFolder();
  await filled(folder, 2);
  const db = raw(folder);
  db.pragma("user_version = 99");
  db.close();
  const before = readFileSync(join(folder, "audit.db"));
  const audit = auditIn(folder);
  expect(audit.degradation).toContain("its schema is 99");
  await expect(audit.append(entryOf(3))).rejects.toThrow("boot the version that wrote it");
  audit.note(entryOf(4));
  expect(audit.query(ask())).toHaveLength(1);
  await audit.close();
  expect(readFileSync(join(folder, "audit.db")).equals(before)).toBe(true);
});

test("a folder that cannot be made: changes are refused, with the words for it", async () => {
  const folder = newFolder();
  writeFileSync(join(folder, "file"), "");
  const audit = auditIn(join(folder, "file", "broker"));
  expect(audit.degradation).toContain("check the data partition");
  await expect(audit.append(entryOf(1))).rejects.toThrow("changes are refused");
  expect([...audit.unfinished()]).toEqual([]);
  await audit.close();
});

test("a tmpfs is no place for the audit of a machine", async () => {
  const folder = join("/dev/shm", `audit-${process.pid}`);
  mkdirSync(folder);
  const audit = auditIn(folder, { must_last: true });
  expect(audit.degradation).toContain("on a tmpfs");
  await audit.close();
  const container = auditIn(folder, { must_last: false });
  expect(container.degradation).toBeNull();
  await container.close();
  rmSync(folder, { recursive: true });
});

test("a full disk: append fails in words, reading goes on, and when there is room again the outage is told", async () => {
  const clock = steppingClock();
  const audit = auditIn(newFolder(), { clock });
  await audit.append(entryOf(1));
  audit.limitPages(1);
  const body = { text: "x".repeat(200_000) };
  await expect(audit.append(entryOf(2, "outcome", { body }))).rejects.toThrow("free or enlarge the data partition");
  expect(audit.degradation).toContain("SQLITE_FULL");
  audit.note(entryOf(3, "outcome", { body }));
  expect(audit.query(ask()).map(({ call }) => call)).toEqual([`${boot}-call-1`]);
  audit.limitPages(1_000_000);
  await audit.append(entryOf(4));
  expect(audit.degradation).toBeNull();
  const [newest] = audit.query(ask());
  expect(newest?.call).toBe(`${boot}-call-4`);
  const [note] = audit.query(ask({ before_seq: newest?.seq ?? 0 }));
  const [outage] = audit.query(ask({ before_seq: note?.seq ?? 0 }));
  expect(note?.call).toBe(`${boot}-call-3`);
  expect(outage?.body["audit_outage"]).toContain("SQLITE_FULL");
  expect((await audit.verify()).whole).toBe(true);
  await audit.close();
});

test("killed in the middle of appending: everything that was acknowledged is there, and the chain is whole", async () => {
  for (let round = 0; round < 3; round += 1) {
    const folder = newFolder();
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "testing/append.ts"), folder], { stdout: "pipe", stderr: "inherit" });
    const lines: string[] = [];
    let rest = "";
    for await (const chunk of child.stdout) {
      const parts = (rest + new TextDecoder().decode(chunk)).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      if (lines.length > 50 * (round + 1)) child.kill("SIGKILL");
    }
    const audit = auditIn(folder);
    const verdict = await audit.verify();
    expect(verdict).toMatchObject({ whole: true, faults: [] });
    expect(verdict.entries).toBeGreaterThanOrEqual(lines.length);
    const db = raw(folder);
    const hash_at = db.prepare<[number], { hash: string }>("SELECT hash FROM entries WHERE seq = ?");
    for (const line of lines) {
      const [seq, hash] = line.split(" ");
      expect(hash_at.get(Number(seq))?.hash).toBe(hash ?? "");
    }
    db.close();
    await audit.close();
  }
});

test("closing writes what is held, and closing twice is closing once", async () => {
  const folder = newFolder();
  const audit = auditIn(folder);
  audit.note(entryOf(1));
  await audit.close();
  await audit.close();
  expect(existsSync(join(folder, "audit.db-wal"))).toBe(false);
  const again = auditIn(folder);
  expect(again.query(ask())).toHaveLength(1);
  await again.close();
});
