/** A secret by every way into the real service: none of them is in any file of memory's afterwards, as text or as a word. */

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { diskFolder } from "./testing/folder.ts";
import { boot, decisionOn, exitedEvent, noteMemory } from "./testing/records.ts";
import { startMemory } from "./testing/service.ts";
import { patient_ms } from "./upkeep/testing/streams.ts";

/** Each is named after the way that it comes by; words are indexed in lower case. */
const secretOf = (way: string): string => `password=zq9x${way}secret`;
const by = { author: "person:operator", reason: secretOf("reason"), call: null, taint: [] };

test("no secret comes into memory, whoever says it in whatever", async () => {
  const data = diskFolder("memory-secrets");
  const service = await startMemory(data);
  const [reactive, broker, tactical] = await Promise.all([service.ask("reactive"), service.ask("broker"), service.ask("tactical")]);
  const line = {
    ...{ id: `${boot}-reactive-1`, time_ms: 1, boot_ms: 1, source: "reactive", severity: "warning" as const },
    ...{ kind: "kernel.log" as const, facts: { priority: 4, sequence: 1, at_us: 1 }, untrusted: `started with ${secretOf("event")}` },
  };
  const of_init = { ...line, id: `${boot}-init-7`, source: "init", untrusted: secretOf("ofinit") };
  await reactive.call("events.append", { events: [line] }, patient_ms);
  const decision = { ...decisionOn(exitedEvent(3), 3), reason: secretOf("decision") };
  await reactive.call("decisions.append", { decisions: [decision] }, patient_ms);
  const note = noteMemory(1, null);
  const body = { arguments: { env: [secretOf("argument")], db_password: "zq9xmembersecret" }, error: secretOf("error") };
  await reactive.call("append", { memories: [{ ...note, text: `it said ${secretOf("text")}`, body }] }, patient_ms);
  await broker.call("quarantine", { id: note.id, reason: secretOf("quarantine"), influenced: false }, patient_ms);
  const page = `---\ntitle: Page\nkind: playbook\nsummary: About it.\n---\n## Steps\n1. Use ${secretOf("page")}.\n`;
  await broker.call("knowledge.add", { id: "playbooks/page", text: page, ...by }, patient_ms);
  const incident = { key: "k", summary: secretOf("work"), severity: "error" as const, service: null, events: [], taint: [] };
  await tactical.call("work.change", { why: secretOf("why"), changes: [{ do: "incident", as: "i", body: incident }] }, patient_ms);
  await broker.call(
    "templates.ingest",
    { lines: [{ source: "log", time_ms: 1, text: `login with ${secretOf("log")} worked` }] },
    patient_ms,
  );
  const [stored] = await broker.call("recall", { ids: [note.id] }, patient_ms);
  expect(stored).toMatchObject({ text: "it said password=[redacted]", quarantined: "password=[redacted: password]" });
  expect(stored?.body).toEqual({ arguments: { env: ["password=[redacted]"], db_password: "[redacted]" }, error: "password=[redacted]" });
  const list = () => broker.call("events.list", { kind: "kernel.log", service: null, limit: 10 }, patient_ms);
  let found = await list();
  // until the service has subscribed
  while (found.length < 2) {
    service.init.emit(of_init);
    found = await list();
  }
  expect(found.map(({ untrusted }) => untrusted).sort()).toEqual(["password=[redacted]", "started with password=[redacted]"]);
  await service.kill("SIGTERM");
  const folder = join(data, "memory");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const bytes = files.map((one) => readFileSync(join(one.parentPath, one.name), "latin1").toLowerCase()).join("");
  expect(bytes).toContain("playbooks/page");
  expect([...bytes.matchAll(/zq9x\w{0,30}/g)].map(([word]) => word)).toEqual([]);
}, 600_000);
