/**
 * Rows as older versions wrote them, by SQL: the code that did it is gone or has changed since. What a schema brought is filled in
 * that schema, as a machine does that was updated step by step.
 */

import { createHash, hash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { Decision } from "../../../contracts/decision.ts";
import type { Event } from "../../../contracts/event.ts";
import type { Memory } from "../../../contracts/memory/record.ts";
import { nativeFile } from "../../../wire/native.ts";
import { severityNumber } from "../../longterm/filter.ts";
import { memoryOfEvent } from "../../longterm/of-history.ts";
import { vectorOf } from "../../longterm/testing/hashing-embedder.ts";
import { int8Of } from "../../longterm/vectors.ts";
import { decisionOn, exitedEvent, noteMemory } from "../../testing/records.ts";
import { segmentsIn } from "../../upkeep/folders.ts";
import { writeSegment } from "../../upkeep/segments/write.ts";

export const old_events = Array.from({ length: 40 }, (_, n) => exitedEvent(n));
/** With a memory of their own from the transaction on that wrote them. */
export const later_events = Array.from({ length: 10 }, (_, n) => exitedEvent(100 + n, "broker"));
export const old_notes = Array.from({ length: 40 }, (_, n) => noteMemory(n, null));
/** Of these, so many are cold from the schema on that knows segments. */
export const cold_notes = 10;
export const pinned_note = 3;
export const quarantined_note = 20;
export const vectors_by = { model: "hashing-1", dimensions: 128 } as const;

const facts = { alarm: "service-down", subject: "nginx", raised: true, value: 9, limit: 5, stood_ms: 0, detail: "" };
export const alarm: Event = { ...exitedEvent(60), id: "0badcafe-reactive-60", source: "reactive", kind: "alarm.changed", facts };
export const old_decisions: readonly Decision[] = [
  ...[1, 2, 3].map((n) => decisionOn(exitedEvent(n), n, "done")),
  { ...decisionOn(alarm, 9, "done"), rule: "playbook service-restart" },
];

/** Schema 1. In one transaction. */
export function writeHistory(db: Sqlite.Database, events: readonly Event[], decisions: readonly Decision[]): void {
  const event = db.prepare("INSERT INTO events (id, boot, time_ms, boot_ms, kind, service, body) VALUES (?, ?, ?, ?, ?, ?, ?)");
  const decision = db.prepare("INSERT INTO decisions (id, trigger_id, time_ms, rule, result, body) VALUES (?, ?, ?, ?, ?, ?)");
  db.transaction(() => {
    for (const one of events) {
      const service = "service" in one.facts ? one.facts.service : null;
      event.run(one.id, one.id.slice(0, 8), one.time_ms, one.boot_ms, one.kind, service, JSON.stringify(one));
    }
    for (const one of decisions) decision.run(one.id, one.trigger.id, one.time_ms, one.rule, one.outcome.result, JSON.stringify(one));
  })();
}

/** Schema 2. @param body null: it is that of the event of its id */
function writeMemory(db: Sqlite.Database, memory: Omit<Memory, "body">, body: string | null): number {
  const { id, time_ms, boot_ms, kind, source, tier, tool, service, outcome, text, taint } = memory;
  const key = hash("sha256", text, "buffer").subarray(0, 16);
  let text_id = db.prepare<[Buffer], { id: number }>("SELECT id FROM texts WHERE hash = ?").get(key)?.id;
  if (text_id === undefined) {
    text_id = Number(db.prepare("INSERT INTO texts (hash, text) VALUES (?, ?)").run(key, text).lastInsertRowid);
    db.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)").run(text_id, text);
  }
  db.prepare(
    `INSERT INTO memories (id, time_ms, boot_ms, kind, source, severity, tier, tool, service, outcome, text_id, body, taint)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    ...[id, time_ms, boot_ms, kind, source, severityNumber(memory.severity), tier, tool, service, outcome, text_id, body],
    taint.length === 0 ? null : JSON.stringify(taint),
  );
  return text_id;
}

function writeLongterm(db: Sqlite.Database): void {
  db.loadExtension(nativeFile(`sqlite-vec-linux-${process.arch}`, "vec0.so"));
  const { model, dimensions } = vectors_by;
  db.prepare("INSERT INTO embedders (id, model, dimensions) VALUES (1, ?, ?)").run(model, dimensions);
  for (const table of ["nearest", "nearest_sample"]) db.exec(`CREATE VIRTUAL TABLE ${table} USING vec0 (v bit[${dimensions}])`);
  for (const note of old_notes) {
    const text_id = writeMemory(db, note, JSON.stringify(note.body));
    const v = int8Of(vectorOf(note.text, dimensions));
    db.prepare("INSERT INTO vectors (text_id, v) VALUES (?, ?)").run(text_id, v);
    db.prepare("INSERT INTO nearest (rowid, v) VALUES (?, vec_quantize_binary(vec_int8(?)))").run(BigInt(text_id), v);
    db.prepare("UPDATE texts SET embedded_by = 1 WHERE id = ?").run(text_id);
  }
  writeHistory(db, later_events, []);
  for (const event of later_events) writeMemory(db, memoryOfEvent(event), null);
  const link = db.prepare("INSERT INTO links (from_id, relation, to_id) VALUES (?, 'about', ?)");
  for (const [n, note] of old_notes.slice(1).entries()) link.run(note.id, old_notes[n]?.id);
  db.prepare("UPDATE memories SET pinned = 1 WHERE id = ?").run(old_notes[pinned_note]?.id);
  db.prepare("UPDATE memories SET quarantined = 'planted' WHERE id = ?").run(old_notes[quarantined_note]?.id);
}

export const work = { goal: "0badcafe-goal-1", incident: "0badcafe-incident-2" } as const;

function writeWorking(db: Sqlite.Database): void {
  const goal = { text: "serve /srv/www on port 8080", keep: true, check: null, progress: null, waits_for: null, taint: [] };
  const incident = {
    ...{
      key: "nginx.silent",
      summary: "nginx is silent",
      severity: "error",
      service: "nginx",
      events: [exitedEvent(1).id],
      events_total: 1,
    },
    ...{ memories: [old_notes[1]?.id], decisions: [], calls: [], tier: null, escalations: 0, health_before: null, waits_for: null },
    ...{ spent: { calls: 0, tokens: 0, model_ms: 0 }, lesson: null, taint: [] },
  };
  const items = [
    { id: work.goal, kind: "goal", state: "working", key: null, body: JSON.stringify(goal) },
    { id: work.incident, kind: "incident", state: "observing", key: "nginx.silent", body: JSON.stringify(incident) },
  ];
  for (const { id, kind, state, key, body } of items) {
    db.prepare(
      `INSERT INTO work_items (id, kind, state, ended, version, parent, root, key, created_ms, changed_ms, made_by, changed_by, reason, body)
       VALUES (?, ?, ?, 0, 1, NULL, ?, ?, 1, 1, 'tactical', 'tactical', 'a test', ?)`,
    ).run(id, kind, state, id, key, body);
    db.prepare("INSERT INTO work_history VALUES (?, 1, 1, '0badcafe', 1, 'tactical', 'a test', NULL, ?, ?)").run(id, state, body);
  }
  db.prepare("INSERT INTO leases VALUES (?, 'tactical/1', '0badcafe', 1, 7)").run(work.goal);
  db.prepare("INSERT INTO contexts VALUES ('tactical', 3, 1, '{\"mind\":\"the disk\"}')").run();
  db.prepare("INSERT INTO work_requests VALUES ('tactical', 'r1', '{\"done\":[]}')").run();
  db.prepare("INSERT INTO recent_metrics VALUES (0, 1, '0badcafe', 1, '{}')").run();
}

function writeTemplates(db: Sqlite.Database): void {
  db.exec(`INSERT INTO templates VALUES (1, 'Failed password for root', '4/Failed', 0, 9, 1, 1, 2, 0, 0, 0, 0, 0, 0, NULL);
    INSERT INTO template_sources VALUES (1, 'sshd', 9, 1, 2);
    INSERT INTO template_hours VALUES (1, 472222, 9);
    INSERT INTO template_examples VALUES (1, 0, 1, 'sshd', '[]');
    INSERT INTO template_cursor VALUES ('logs', 9, 1);`);
}

export const page = {
  id: "playbooks/old-page",
  text: "---\ntitle: Old page\nkind: playbook\nsummary: It helped.\n---\n## Steps\n1. Restart it.\n",
} as const;

function writeKnowledge(db: Sqlite.Database): void {
  const sha256 = createHash("sha256").update(page.text).digest("hex");
  db.prepare(
    `INSERT INTO knowledge_versions (document, version, origin, sha256, bytes, title, kind, front, text, author, reason, call, taint, time_ms)
     VALUES (?, 1, 'written', ?, ?, 'Old page', 'playbook', '{"title":"Old page","kind":"playbook","summary":"It helped."}', ?, 'tier:tactical', 'a test', NULL, '[]', 1)`,
  ).run(page.id, sha256, Buffer.byteLength(page.text), page.text);
  db.prepare("INSERT INTO knowledge_documents VALUES (?, 1, NULL, 0)").run(page.id);
  db.prepare(
    "INSERT INTO knowledge_sections (document, place, title, heading, text, sha256) VALUES (?, 0, 'Old page', 'Steps', '1. Restart it.', ?)",
  ).run(page.id, sha256);
}

function writeSegments(db: Sqlite.Database, folder: string): void {
  mkdirSync(segmentsIn(folder), { recursive: true });
  const cold = old_notes.slice(0, cold_notes);
  const whole = cold.map((note) => ({ ...note, pinned: false, quarantined: null, used: 0, useful: 0 }));
  const { bytes, plain_bytes, sha256 } = writeSegment(join(segmentsIn(folder), "1.seg"), whole);
  db.prepare(
    "INSERT INTO segments (id, made_ms, memories, oldest_ms, newest_ms, bytes, plain_bytes, sha256) VALUES (1, 1, ?, 1, 2, ?, ?, ?)",
  ).run(cold_notes, bytes, plain_bytes, sha256);
  for (const { id } of cold) {
    db.prepare("UPDATE texts SET text = NULL WHERE id = (SELECT text_id FROM memories WHERE id = ?)").run(id);
    db.prepare("UPDATE memories SET segment = 1, body = NULL WHERE id = ?").run(id);
  }
}

function writeOutcome(db: Sqlite.Database): void {
  const values = ["0badcafe-d-tactical-77", alarm.id, "service-down", "nginx", "playbook service-restart", "tactical", "failed"];
  db.prepare(
    `INSERT INTO outcomes (decision, trigger_id, alarm, subject, rule, tier, result, time_ms, repair_ms, asked_ms, tokens, usd)
     VALUES (?, ?, ?, ?, ?, ?, ?, 5, NULL, 0, 0, 0)`,
  ).run(values);
}

function writeClassifier(db: Sqlite.Database): void {
  db.exec(`INSERT INTO classifiers VALUES (1, 'ab', '{}', '{}');
    INSERT INTO classifier_use (time_ms, version, why) VALUES (1, 1, 'a test'), (2, NULL, 'it fell');`);
}

/** A rule that has ended: nothing of it is deleted any more. */
function writeRetention(db: Sqlite.Database): void {
  db.exec("INSERT INTO retention_rules VALUES (1, '{}', 1, 1, 'person:anna', 'a test', '0badcafe-call-9', 2, 'person:anna');");
}

/** By schema, from 1: what a machine has once it has run on that one. */
export const filled_by: readonly ((db: Sqlite.Database, folder: string) => void)[] = [
  (db) => writeHistory(db, [...old_events, alarm], old_decisions),
  writeLongterm,
  writeWorking,
  writeTemplates,
  writeKnowledge,
  writeSegments,
  writeOutcome,
  writeClassifier,
  writeRetention,
  (db) => db.exec("UPDATE templates SET level = 4, burst_ms = 3, burst_times = 2 WHERE id = 1"),
  (db) => db.exec("UPDATE templates SET burst_ms = 4 WHERE id = 1"),
  (db) =>
    db.exec("INSERT INTO overrides VALUES ('0badcafe-call-9', '0badcafe-d-tactical-1', 'fs.write', 'undone', 'person:anna', 'no', 1, 0)"),
  (db) => db.exec("UPDATE retention_rules SET told = 0 WHERE id = 1"),
];
