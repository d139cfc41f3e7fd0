/** Holds every page against the code: nothing in it names what does not exist. */

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { broker_methods } from "../contracts/broker.ts";
import { event_kinds } from "../contracts/event.ts";
import { DocumentId } from "../contracts/memory/knowledge.ts";
import { type Document, parseText } from "../memory/knowledge/document.ts";
import { testCatalog } from "../tools/testing/catalog.ts";
import { issuesText } from "../wire/issues.ts";
import { callsIn, filled, methodsIn, pagesIn, placeholdersIn } from "./named.ts";

const catalog = new Map(testCatalog().map((tool) => [tool.name, tool]));
const events = new Set<string>(event_kinds);
const folder = import.meta.dir;
const ids = [...new Bun.Glob("*/*.md").scanSync({ cwd: folder })].map((file) => file.replace(/\.md$/, "")).sort();

function read(id: string): Document {
  const parsed = parseText(readFileSync(join(folder, `${id}.md`), "utf8"));
  if ("problems" in parsed) throw new Error(`"${id}": ${parsed.problems.join("; ")}`);
  return parsed.document;
}
const pages = new Map(ids.map((id) => [id, read(id)]));

/** What is wrong with a page, in words. */
function faultsOf(id: string, { front, body }: Document): string[] {
  const faults: string[] = [];
  const calls = callsIn(body).filter(({ tool, arguments: args }) => args !== null || !events.has(tool));
  for (const { tool: name, arguments: args, text } of calls) {
    const tool = catalog.get(name);

    if (tool === undefined) {
      faults.push(`there is no tool or event "${name}"`);
      continue;
    }
    for (const parameter of placeholdersIn(args))
      if (front.parameters[parameter] === undefined) faults.push(`"{${parameter}}" in "${text}" is not declared in parameters`);
    if (args === null) continue;
    const parsed = tool.input.safeParse(filled(args, front.parameters));
    if (!parsed.success) faults.push(`"${text}" does not fit: ${issuesText(parsed.error)}`);
  }
  const used = [...new Set(calls.map(({ tool }) => tool))].sort();
  if (JSON.stringify(used) !== JSON.stringify(front.tools)) faults.push(`tools has to be [${used.join(", ")}]`);
  for (const event of front.events) if (!events.has(event)) faults.push(`there is no event "${event}"`);
  for (const page of pagesIn(body)) if (!pages.has(page)) faults.push(`there is no page "${page}"`);
  for (const method of methodsIn(body)) if (!Object.hasOwn(broker_methods, method)) faults.push(`the broker has no method "${method}"`);
  for (const parameter of Object.keys(front.parameters))
    if (!body.includes(`{${parameter}}`)) faults.push(`the parameter "${parameter}" is not used`);
  return faults.map((fault) => `${id}: ${fault}`);
}

/** Calls that change something although they stand under Checks or Verify. */
function changesIn(id: string, section: string, { front, body }: Document): string[] {
  return callsIn(body).flatMap((call) => {
    const tool = catalog.get(call.tool);
    if (call.section !== section || call.arguments === null || tool === undefined || tool.risk === "observe") return [];
    const parsed = tool.input.safeParse(filled(call.arguments, front.parameters));
    const risk = parsed.success ? (tool.riskOf?.(parsed.data, { resources: [] }) ?? tool.risk) : tool.risk;
    return risk === "observe" || /with `dry_run`/.test(lineOf(body, call.text)) ? [] : [`${id}: "${call.text}" is ${risk}`];
  });
}

function lineOf(body: string, text: string): string {
  return body.split("\n").find((line) => line.includes(text)) ?? "";
}

test("every page names what exists, with arguments that fit", () => {
  expect([...pages].flatMap(([id, page]) => faultsOf(id, page))).toEqual([]);
});

test("every page lies where its kind says, and is named so that it can be asked for", () => {
  const folders = { system: "system", runbook: "runbooks", hardware: "hardware", tool: "tools", playbook: "playbooks" } as const;
  for (const [id, { front }] of pages) {
    expect(DocumentId.safeParse(id).success, id).toBe(true);
    expect(id.split("/")[0], id).toBe(folders[front.kind]);
  }
});

test("every runbook tells how to see it, what to do, how to know, how to go back, and when to hand over", () => {
  const wanted = ["Checks", "Steps", "Verify", "Undo", "Hand over"];
  const runbooks = [...pages].filter(([, { front }]) => front.kind === "runbook");
  expect(runbooks.length).toBeGreaterThan(40);
  for (const [id, { front, body, sections }] of runbooks) {
    expect(
      sections.map(({ heading }) => heading).filter((heading) => heading !== ""),
      id,
    ).toEqual(wanted);
    expect(front.symptoms.length, `${id}: symptoms`).toBeGreaterThan(0);
    expect(front.severity, `${id}: severity`).toBeDefined();
    expect(callsIn(body).filter(({ section }) => section === "Checks").length, `${id}: calls under Checks`).toBeGreaterThan(0);
  }
});

test("what stands under Checks changes nothing, and what verifies does neither but for probes that are taken back", () => {
  const all = [...pages].filter(([, { front }]) => front.kind === "runbook");
  expect(all.flatMap(([id, page]) => changesIn(id, "Checks", page))).toEqual([]);
  const probing = new Set(["runbooks/broker-refuses-changes"]);
  expect(all.filter(([id]) => !probing.has(id)).flatMap(([id, page]) => changesIn(id, "Verify", page))).toEqual([]);
});

test("every kind of event is told of by a runbook", () => {
  const told = new Set([...pages.values()].filter(({ front }) => front.kind === "runbook").flatMap(({ front }) => front.events));
  expect(event_kinds.filter((kind) => !told.has(kind))).toEqual([]);
});

test("a page that names what does not exist is found", () => {
  const parsed = parseText(`---
title: x
kind: runbook
summary: x
events: [disk.full]
---
## Checks
1. \`fs.usage {"path": "{folder}"}\`, \`fs.usag {}\`, \`fs.read {"pth": "/x"}\`, runbooks/nothing, \`undo/nothing\`
`);
  if ("problems" in parsed) throw new Error(parsed.problems.join("; "));
  const faults = faultsOf("x", parsed.document).join("\n");
  for (const words of ['"{folder}"', '"fs.usag"', '"pth"', '"runbooks/nothing"', '"undo/nothing"', '"disk.full"'])
    expect(faults).toContain(words);
});
