/** Writers for the kill tests (streams.ts): working memory, knowledge, templates of logs. */

import { hash } from "node:crypto";
import type { WorkChange } from "../../../contracts/memory/working/changes.ts";
import { LogLines } from "../../testing/log-lines.ts";
import { patient_ms, type Stream } from "./streams.ts";

const steps = ["look", "repair", "look-again"].map((key, at) => ({
  ...{ key, title: key, tool: null, arguments: {}, attempts_max: 1, taint: [] },
  needs: at === 0 ? [] : ["look"],
}));

const beginning = (key: string): WorkChange[] => [
  { do: "incident", as: "i", body: { key, summary: key, severity: "error", service: null, events: [], taint: [] } },
  { do: "plan", as: "p", parent: "@i", body: { purpose: key, playbook: null, taint: [] }, steps },
  { do: "move", id: "@p", version: null, to: "active" },
];

/** An incident with its plan and steps in one transaction, then a move of it under a lease; by turns. */
export function workStream(): Stream {
  let begun: string | null = null;
  return {
    name: "work",
    caller: "tactical",
    async send(peer, number) {
      const id = begun;
      // what is not acknowledged is not gone on with
      begun = null;
      if (id === null) {
        const { done } = await peer.call(
          "work.change",
          { why: "it ended", request: `r${number}`, changes: beginning(`k${number}`) },
          patient_ms,
        );
        begun = done[0]?.id ?? null;
        return [`${begun} observing`];
      }
      const { lease } = await peer.call("lease.acquire", { id, holder: `h${number}`, ttl_ms: 60_000 }, patient_ms);
      const changes: WorkChange[] = [{ do: "move", id, version: 1, to: "orienting" }];
      await peer.call("work.change", { why: "looking", changes, fences: { [id]: lease.fence } }, patient_ms);
      return [`${id} orienting`];
    },
    holds(line, { working: { items } }) {
      const [id = "", state] = line.split(" ");
      const item = items.item(id);
      if (item === null || (item.state !== state && item.state !== "orienting")) return false;
      const [plan] = items.parts(id);
      const versions = items.history(id, undefined, 10).length;
      return plan?.state === "active" && items.steps(plan.id).length === steps.length && versions === item.version;
    },
  };
}

const page = (number: number): string =>
  `---\ntitle: Page ${number}\nkind: playbook\nsummary: What was learned in try ${number}.\n---\n## Steps\n1. Restart unit-${number % 9} ${"once more ".repeat(number % 50)}\n`;
const edits_max = 3;

/** Documents, each edited a few times; each version has to be there as it was written. */
export function knowledgeStream(): Stream {
  let known: { id: string; version: number } | null = null;
  const by = { author: "person:operator", reason: "a test", call: null, taint: [] };
  return {
    name: "knowledge",
    caller: "broker",
    async send(peer, number) {
      const held = known;
      known = null;
      const text = page(number);
      const id = held?.id ?? `playbooks/kill-${number}`;
      const { version } =
        held === null
          ? await peer.call("knowledge.add", { id, text, ...by }, patient_ms)
          : await peer.call("knowledge.edit", { id, change: { text }, expected: held.version, ...by }, patient_ms);
      if (version < edits_max) known = { id, version };
      return [`${id} ${version} ${hash("sha256", text)}`];
    },
    holds(line, { documents }) {
      const [id = "", version, sha256] = line.split(" ");
      const row = documents.version(id, Number(version));
      return row !== null && hash("sha256", row.text) === sha256;
    },
  };
}

/** Lines of logs: as many have to be counted as were acknowledged. */
export function templatesStream(): Stream {
  const made = new LogLines(7);
  let acknowledged = 0;
  return {
    name: "templates",
    caller: "operational",
    async send(peer, number) {
      const lines = made.take(1 + (number % 40)).map(({ text }) => ({ source: "kill", time_ms: 1_790_000_000_000 + number * 100, text }));
      await peer.call("templates.ingest", { lines }, patient_ms);
      acknowledged += lines.length;
      return [String(acknowledged)];
    },
    holds(line, _, db) {
      const counted = db.prepare<[], { n: number }>("SELECT sum(lines) AS n FROM template_sources WHERE source = 'kill'").get()?.n ?? 0;
      return counted >= Number(line);
    },
  };
}
