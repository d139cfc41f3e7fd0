/** Cases of the tools of the knowledge base (testing/case.ts), with the real memory behind them. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openReadOnly } from "../../../wire/database.ts";
import type { ToolCase, World } from "../../testing/case.ts";
import { shippedIn } from "../../testing/memory.ts";

const page = (title: string, kind: string, body: string): string =>
  `---\ntitle: ${title}\nkind: ${kind}\nsummary: About ${title}.\n---\n${body}\n`;
const id = "playbooks/nginx";
const text = page("nginx", "playbook", "## Steps\n1. Look at its log.");
const reason = "learned";
const of_image = "runbooks/disk-full";

/** What counts, but for what is as the image has it. */
function observe({ places }: World): unknown {
  const file = join(places.data, "memory", "memory.db");
  if (!existsSync(file)) return [];
  const db = openReadOnly(file);
  try {
    return db
      .prepare(
        `SELECT d.document, v.sha256, v.taint FROM knowledge_documents d
         JOIN knowledge_versions v ON v.document = d.document AND v.version = d.version
         LEFT JOIN knowledge_versions s ON s.document = d.document AND s.version = d.shipped_version
         WHERE s.sha256 IS NOT v.sha256 ORDER BY d.document`,
      )
      .all();
  } finally {
    db.close();
  }
}

function ship({ places }: World): void {
  const folder = join(shippedIn(join(places.data, "..")), "runbooks");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "disk-full.md"), page("Disk full", "runbook", "## Steps\n1. Remove what nobody needs."));
}

async function added(world: World): Promise<void> {
  ship(world);
  await world.call("knowledge.add", { id, text, reason });
}

const next = page("nginx", "playbook", "## Steps\n1. Look at its settings.");

export const knowledge_cases: readonly ToolCase[] = [
  {
    tool: "knowledge.add",
    name: "a playbook",
    prepare(world) {
      ship(world);
      return { id, text, reason };
    },
    observe,
    bad: () => [
      { id: "Playbooks/x", text, reason },
      { id: "../x", text, reason },
      { id, text: "no front matter", reason },
      { id, text: text.replace("summary", "sumary"), reason },
      { id: "runbooks/x", text, reason },
      { id: of_image, text: page("Disk full", "runbook", "other"), reason },
      { id, text, reason: "" },
    ],
  },
  {
    tool: "knowledge.add",
    name: "again, after it was withdrawn",
    async prepare(world) {
      await added(world);
      await world.call("knowledge.edit", { id, change: { withdraw: true }, reason });
      return { id, text: next, reason };
    },
    observe,
  },
  {
    tool: "knowledge.edit",
    name: "another text",
    async prepare(world) {
      await added(world);
      return { id, change: { text: next }, reason };
    },
    observe,
    bad: () => [
      { id, change: { text: next }, expected: 7, reason },
      { id, change: { version: 7 }, reason },
      { id, change: { reset: true }, reason },
      { id, change: { text: next, reset: true }, reason },
      { id, change: {}, reason },
      { id: "playbooks/none", change: { text: next }, reason },
      { id, change: { text: next.replace("playbook", "novel") }, reason },
    ],
  },
  {
    tool: "knowledge.edit",
    name: "a document of the image",
    prepare(world) {
      ship(world);
      return { id: of_image, change: { text: page("Disk full", "runbook", "## Steps\n1. Ask anna.") }, reason };
    },
    observe,
  },
  {
    tool: "knowledge.edit",
    name: "what the image has, again",
    async prepare(world) {
      ship(world);
      await world.call("knowledge.edit", {
        id: of_image,
        change: { text: page("Disk full", "runbook", "## Steps\n1. Ask anna.") },
        reason,
      });
      return { id: of_image, change: { reset: true }, reason };
    },
    observe,
  },
  {
    tool: "knowledge.edit",
    name: "withdrawn",
    async prepare(world) {
      await added(world);
      return { id, change: { withdraw: true }, reason };
    },
    observe,
  },
  {
    tool: "knowledge.edit",
    name: "a version brought back after it was withdrawn",
    async prepare(world) {
      await added(world);
      await world.call("knowledge.edit", { id, change: { withdraw: true }, reason });
      return { id, change: { version: 1 }, reason };
    },
    observe,
  },
  {
    tool: "knowledge.search",
    name: "by word",
    async prepare(world) {
      await added(world);
      return { query: "where is the log of nginx", mode: "words" };
    },
    observe,
    check({ found }) {
      const sections = found as { document: string; section: string }[];
      const steps = sections.some(({ section }) => section === "Steps");
      if (!steps || sections.some(({ document }) => document !== id)) throw new Error(`it found ${JSON.stringify(found)}`);
    },
    bad: () => [{ query: "" }, { query: "x", kinds: ["novel"] }, { query: "x", limit: 0 }],
  },
  {
    tool: "knowledge.show",
    name: "a section",
    async prepare(world) {
      await added(world);
      return { id, section: "Steps" };
    },
    observe,
    bad: () => [{ id: "playbooks/none" }, { id, section: "Nothing" }, { id, version: 9 }, { id: "/etc/passwd" }],
  },
  {
    tool: "knowledge.list",
    name: "all",
    async prepare(world) {
      await added(world);
      return {};
    },
    observe,
    check({ total }) {
      if (total !== 2) throw new Error(`it lists ${String(total)}`);
    },
    bad: () => [{ limit: 0 }, { kinds: [] }],
  },
  {
    tool: "knowledge.history",
    name: "two versions",
    async prepare(world) {
      await added(world);
      await world.call("knowledge.edit", { id, change: { text: next }, reason });
      return { id };
    },
    observe,
    check({ total }) {
      if (total !== 2) throw new Error(`it has ${String(total)}`);
    },
    bad: () => [{ id, before: 0 }],
  },
  {
    tool: "knowledge.history",
    name: "of what never was",
    prepare: async () => ({ id: "playbooks/none" }),
    observe,
    check({ total }) {
      if (total !== 0) throw new Error(`it has ${String(total)}`);
    },
    bad: () => [{ id: "no document" }],
  },
];
