/** Cases of the tools of memory (testing/case.ts), with the real memory behind them. */

import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { working_methods } from "../../../contracts/memory/working.ts";
import { loadNative } from "../../../wire/native.ts";
import type { ToolCase, World } from "../../testing/case.ts";
import { toldBy } from "../../testing/memory.ts";

const folderOf = ({ places }: World): string => join(places.data, "memory");
const inFolder = (world: World, name: string): string[] => {
  const folder = join(folderOf(world), name);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};
const export_name = "everything";
const export_file = `${export_name}.jsonl.zst`;

/** What a search relies on, without ids; links by the texts of their ends. */
function observe(world: World): unknown {
  const file = join(folderOf(world), "memory.db");
  if (!existsSync(file)) return { memories: [], links: [] };
  const db: Sqlite.Database = new (loadNative("better-sqlite3") as typeof Sqlite)(file, { readonly: true });
  try {
    const memories = db
      .prepare(
        `SELECT t.text, m.kind, m.severity, m.service, m.tool, m.outcome, m.taint, m.pinned FROM memories m
         JOIN texts t ON t.id = m.text_id WHERE m.quarantined IS NULL AND m.kind IN ('note', 'lesson') ORDER BY t.text, m.seq`,
      )
      .all();
    const text = "(SELECT t.text FROM memories m JOIN texts t ON t.id = m.text_id WHERE m.id = %)";
    const links = db
      .prepare(
        `SELECT ${text.replace("%", "from_id")} AS a, relation, ${text.replace("%", "to_id")} AS b FROM links
         WHERE from_id IN (SELECT id FROM memories WHERE quarantined IS NULL) ORDER BY a, relation, b`,
      )
      .all();
    return { memories, links };
  } finally {
    db.close();
  }
}

async function stored(world: World, text: string, more: Record<string, unknown> = {}): Promise<string> {
  const { id } = await world.call("memory.store", { text, ...more });
  return String(id);
}

function rules(world: World): unknown {
  const file = join(folderOf(world), "memory.db");
  if (!existsSync(file)) return [];
  const db: Sqlite.Database = new (loadNative("better-sqlite3") as typeof Sqlite)(file, { readonly: true });
  try {
    return db.prepare("SELECT filter, set_by FROM retention_rules WHERE ended_ms IS NULL ORDER BY id").all();
  } finally {
    db.close();
  }
}

const nginx = "nginx stopped answering after the update; restarting it with the old configuration helped";
/** In two parts, so that no scanner takes it for a leak. */
const access_key = `AKIA${"ABCDEFGH23456722"}`;
const unknown_id = "0badcafe-note-999999";

/** A file to take in, of memories that were then put in quarantine: this memory knows them by id. */
async function exported(world: World): Promise<void> {
  await stored(world, nginx);
  await world.call("memory.export", { name: export_name });
}

/** What a tier would have begun. */
async function incident({ places }: World): Promise<string> {
  const body = { key: "nginx.silent", summary: nginx, severity: "error", service: "nginx", events: [], taint: [] };
  const change = { why: "it does not answer", changes: [{ do: "incident", body }] };
  const { done } = working_methods["work.change"].result.parse(await toldBy("tactical", places, "work.change", change));
  return done[0]?.id ?? "";
}

/** What a tier has tried, and what came of it. */
async function solved({ places }: World): Promise<void> {
  const facts = {
    alarm: "service-down",
    subject: "nginx",
    raised: true,
    value: 9,
    limit: 5,
    stood_ms: 0,
    detail: `it said token=${access_key}`,
  };
  const decisions = (["failed", "done"] as const).map((result, at) => ({
    ...{ id: `0badcafe-d-tactical-${at}`, time_ms: at, boot_ms: 1000, tier: "tactical", rule: "playbook service-restart", took_us: 1 },
    trigger: {
      ...{ id: `0badcafe-reactive-${at}`, time_ms: at, boot_ms: 0, source: "reactive", severity: "error", kind: "alarm.changed", facts },
    },
    reason: nginx,
    action: { do: "call", calls: [{ tool: "service.restart", arguments: { name: "nginx" } }] },
    outcome: { result, detail: "", after_ms: 500 },
  }));
  await toldBy("tactical", places, "decisions.append", { decisions });
}

async function logged({ places }: World): Promise<void> {
  const lines = [7, 8, 9].map((n) => ({
    source: "sshd",
    time_ms: Date.now(),
    text: `Failed password for root from 203.0.113.${n} port 22`,
  }));
  await toldBy("operational", places, "templates.ingest", { lines });
}

/** Of two alarms one goes away by a new start and one does not: what can be learned. */
async function learnable({ places }: World): Promise<void> {
  const decisions = Array.from({ length: 100 }, (_, at) => ({
    ...{ id: `0badcafe-d-tactical-${at}`, time_ms: at, boot_ms: 1000, tier: "tactical", rule: "playbook service-restart", took_us: 1 },
    trigger: {
      ...{ id: `0badcafe-reactive-${at}`, time_ms: at, boot_ms: 0, source: "reactive", severity: "error", kind: "alarm.changed" },
      facts: {
        ...{ alarm: at % 2 === 0 ? "service-files" : "service-crash-loop", subject: "nginx", raised: true },
        ...{ value: 9, limit: 5, stood_ms: 0, detail: "" },
      },
    },
    reason: nginx,
    action: { do: "log" },
    outcome: { result: (at % 2 === 0) === (at % 10 !== 3) ? "done" : "failed", detail: "", after_ms: 500 },
  }));
  for (let at = 0; at < decisions.length; at += 20)
    await toldBy("tactical", places, "decisions.append", { decisions: decisions.slice(at, at + 20) });
}

/** Which version of the classifier is in use. */
function classifierOf(world: World): unknown {
  const file = join(folderOf(world), "memory.db");
  if (!existsSync(file)) return null;
  const db: Sqlite.Database = new (loadNative("better-sqlite3") as typeof Sqlite)(file, { readonly: true });
  try {
    return (
      db.prepare<[], { version: number | null }>("SELECT version FROM classifier_use ORDER BY seq DESC LIMIT 1").get()?.version ?? null
    );
  } finally {
    db.close();
  }
}

const holds =
  (text: string): NonNullable<ToolCase["check"]> =>
  (answer) => {
    if (!JSON.stringify(answer).includes(text)) throw new Error(`the answer does not hold "${text}": ${JSON.stringify(answer)}`);
  };

const looks = (tool: string, name: string, args: (id: string) => Record<string, unknown>, text: string): ToolCase => ({
  tool,
  name,
  prepare: async (world) => args(await stored(world, nginx)),
  observe,
  bad: () => [{ query: "", ids: [], limit: 0, id: "../x", around: "x" }],
  check: holds(text),
});

export const memory_cases: readonly ToolCase[] = [
  looks("memory.search", "by words", () => ({ query: "why did nginx not answer?" }), nginx),
  looks("memory.recall", "one", (id) => ({ ids: [id] }), nginx),
  looks("memory.timeline", "around one", (id) => ({ around: id }), nginx),
  looks("memory.trace", "of one without links", (id) => ({ id }), `"reached":[]`),
  looks("memory.stats", "all", () => ({}), `"memories":1`),
  looks("memory.recent", "at a glance", () => ({ count: "service.exited" }), `"count":0`),
  {
    tool: "memory.incidents",
    name: "those that are open",
    prepare: (world) => incident(world).then(() => ({})),
    observe,
    bad: () => [{ id: unknown_id }, { states: ["done"] }, { limit: 0 }],
    check: holds(`"key":"nginx.silent"`),
  },
  {
    tool: "memory.incidents",
    name: "one, with what became of it",
    prepare: async (world) => ({ id: await incident(world) }),
    observe,
    check: holds(`"why":"it does not answer"`),
  },
  {
    tool: "memory.templates",
    name: "what logs have in common",
    prepare: (world) => logged(world).then(() => ({})),
    observe,
    bad: () => [{ id: 4711 }, { order: "least" }, { limit: 0 }],
    check: holds("Failed password for"),
  },
  {
    tool: "memory.templates",
    name: "one of them",
    prepare: (world) => logged(world).then(() => ({ id: 1 })),
    observe,
    check: holds("203.0.113.7"),
  },
  {
    tool: "memory.learned",
    name: "one try that helped and one that did not",
    prepare: (world) => solved(world).then(() => ({})),
    observe,
    check({ alarms, playbooks }) {
      const told = JSON.stringify({ alarms, playbooks });
      for (const part of ['"alarm":"service-down","seen":2,"solved":1', '"repair_ms":1500', '"worked":1,"failed":1'])
        if (!told.includes(part)) throw new Error(`it does not tell ${part}: ${told}`);
    },
  },
  {
    tool: "memory.examples",
    name: "with the secret taken out",
    prepare: (world) => solved(world).then(() => ({})),
    observe,
    bad: () => [{ limit: 0 }, { after: 3 }],
    check(answer) {
      const told = JSON.stringify(answer);
      if (told.includes(access_key) || !told.includes("[redacted: ") || !told.includes('"more":false')) throw new Error(told);
    },
  },
  {
    tool: "memory.store",
    name: "a lesson",
    prepare: async (world) => ({
      kind: "lesson",
      text: nginx,
      service: "nginx",
      links: [{ relation: "about", to: await stored(world, "x") }],
    }),
    observe,
    bad: () => [{ text: "" }, { text: nginx, kind: "event" }, { text: nginx, links: [{ relation: "like", to: unknown_id }] }],
  },
  {
    tool: "memory.store",
    name: "a note with a secret in it",
    prepare: () => ({ text: `the key of the bucket is ${access_key}` }),
    observe,
    check(_answer, world) {
      const kept = JSON.stringify(observe(world));
      if (kept.includes(access_key) || !kept.includes("the key of the bucket is [redacted: AWS access key]"))
        throw new Error(`the secret was not taken out: ${kept}`);
    },
  },
  {
    tool: "memory.link",
    name: "a lesson to what it is learned from",
    prepare: async (world) => ({ from: await stored(world, "lesson"), relation: "learned-from", to: await stored(world, nginx) }),
    observe,
    bad: () => [
      { from: unknown_id, relation: "about", to: unknown_id },
      { from: "x", relation: "about", to: "y" },
    ],
  },
  {
    tool: "memory.pin",
    name: "one",
    prepare: async (world) => ({ id: await stored(world, nginx) }),
    observe,
    bad: () => [{ id: unknown_id }, { id: "../../x" }],
  },
  {
    tool: "memory.train",
    name: "on what can be learned",
    prepare: (world) => learnable(world).then(() => ({})),
    observe: classifierOf,
    bad: () => [{ now: true }],
    check({ version, in_use }) {
      if (version !== 1 || in_use !== 1) throw new Error(`version ${String(version)} was made, and ${String(in_use)} is in use`);
    },
  },
  {
    tool: "memory.classifier",
    name: "none",
    async prepare(world) {
      await learnable(world);
      await world.call("memory.train", {});
      return { version: null };
    },
    observe: classifierOf,
    bad: () => [{ version: 0 }, { version: 77 }, {}],
  },
  {
    tool: "memory.quarantine",
    name: "one, and what was learned from it",
    async prepare(world) {
      const id = await stored(world, "poisoned");
      await stored(world, "learned from it", { links: [{ relation: "learned-from", to: id }] });
      await stored(world, "another");
      return { id, reason: "what it says is not so" };
    },
    observe,
    bad: () => [
      { id: unknown_id, reason: "x" },
      { id: unknown_id, reason: "" },
    ],
    check({ changed }) {
      if (changed !== 2) throw new Error(`${String(changed)} memories went into quarantine, not 2`);
    },
  },
  {
    tool: "memory.export",
    name: "everything",
    async prepare(world) {
      await stored(world, nginx);
      return { name: export_name };
    },
    observe: (world) => inFolder(world, "exports"),
    bad: () => [{ name: "../x" }, { name: "" }],
  },
  {
    tool: "memory.import",
    name: "what was exported",
    async prepare(world) {
      await exported(world);
      mkdirSync(join(folderOf(world), "imports"), { recursive: true });
      renameSync(join(folderOf(world), "exports", export_file), join(folderOf(world), "imports", export_file));
      return { name: export_file };
    },
    observe,
    bad: () => [{ name: "none.jsonl" }, { name: "../../etc/passwd" }],
    check({ read, written }) {
      if (read !== 1 || written !== 0) throw new Error(`read ${String(read)}, written ${String(written)}: it knows the one already`);
    },
  },
  {
    tool: "memory.backup",
    name: "while it runs",
    async prepare(world) {
      await stored(world, nginx);
      return { name: "before" };
    },
    observe: (world) => inFolder(world, "backups"),
    bad: () => [{ name: "../x" }, { name: "UPPER" }],
  },
  {
    tool: "memory.backups",
    name: "one that is whole",
    async prepare(world) {
      await stored(world, nginx);
      await world.call("memory.backup", { name: "before" });
      return { verify: "before" };
    },
    observe,
    bad: () => [{ verify: "none" }, { verify: "../x" }],
    check({ faults }) {
      if (!Array.isArray(faults) || faults.length > 0) throw new Error(`it is not whole: ${JSON.stringify(faults)}`);
    },
  },
  {
    tool: "memory.retention",
    name: "the rules",
    prepare: (world) => stored(world, nginx).then(() => ({})),
    observe,
    bad: () => [{ tombstones: -1 }],
    check: holds(`"rules":[],"tombstones":[],"deleted":0`),
  },
  {
    tool: "memory.retain",
    name: "notes of a year ago",
    final: true,
    async prepare(world) {
      await stored(world, nginx);
      return { set: { older_than_days: 365, kinds: ["note"] } };
    },
    observe: rules,
    bad: () => [{}, { end: 4711 }, { set: { older_than_days: 0 } }, { set: { older_than_days: 1 }, end: 1 }],
    check: holds(`"filter":{"older_than_days":365,"kinds":["note"]}`),
  },
  {
    tool: "memory.restore",
    name: "what was before",
    final: true,
    async prepare(world) {
      await stored(world, nginx);
      await world.call("memory.backup", { name: "before" });
      await stored(world, "afterwards");
      return { name: "before" };
    },
    observe,
    bad: () => [{ name: "none" }, { name: "../before" }],
  },
];
