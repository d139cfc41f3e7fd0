/** The tools of permission in a whole broker with the policies of the image. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CallMeta, type CallResult, type Principal, type Role } from "../../../contracts/tool.ts";
import type { OpenBroker } from "../../broker.ts";
import { authorityFor, openTestBroker, placesIn } from "../../testing/open.ts";

let folder: string;
let broker: OpenBroker;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "aios-sec-"));
  mkdirSync(join(folder, "data/work"), { recursive: true });
  broker = await openTestBroker(folder, { authority: authorityFor("policies", placesIn(folder)) });
  expect(broker.degradations()).toEqual([]);
}, 60_000);
afterEach(async () => {
  await broker.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Who {
  readonly principal: Principal;
  readonly role?: Role;
  readonly owner?: Principal;
}

const tactical: Who = { principal: "tier:tactical" };
const operational: Who = { principal: "tier:operational" };
const operator: Who = { principal: "person:anna", role: "operator" };
const admin: Who = { principal: "person:eve", role: "admin" };
const observer: Who = { principal: "person:bob", role: "observer" };

async function call(
  { principal, role, owner }: Who,
  tool: string,
  args: Record<string, unknown>,
  tainted: string[] = [],
): Promise<CallResult> {
  return await broker.calls.make({
    ...{ principal, role: role ?? null, owner: owner ?? null, tool, arguments: args },
    meta: CallMeta.parse({ reason: { text: "to test it" }, tainted }),
    ...{ undoes: null, redoes: null },
  });
}

const file = (name: string): string => join(folder, name);
const writes = (path: string, more: object = {}) => ({
  tools: ["fs.write"],
  resources: [{ kind: "path", id: path }],
  reason: "the task",
  ...more,
});
const status = (result: CallResult) => result._meta.status;
const write = (who: Who, path: string) => call(who, "fs.write", { path, content: "x", how: "write" });

test("a tier asks, a person says yes, and from then on it may", async () => {
  expect(status(await write(operational, file("a")))).toBe("refused");
  const asked = await call(operational, "sec.request", writes(folder, { calls_max: 2 }));
  expect(status(asked)).toBe("waiting");
  expect(broker.approvals.get(asked._meta.call)?.approval.preview.join("\n")).toContain(`path "${folder}" and everything below it`);
  const done = await broker.calls.decide(asked._meta.call, true, "person:anna", "fine", "operator");
  expect(done).toMatchObject({
    structuredContent: { granted_by: "person:anna", principal: "tier:operational" },
    _meta: { status: "done" },
  });
  const [first, second, third] = [
    await write(operational, file("a")),
    await write(operational, file("b")),
    await write(operational, file("c")),
  ];
  expect([status(first), status(second), status(third)]).toEqual(["done", "done", "refused"]);
  expect(first._meta.policies).toEqual([String(done.structuredContent?.["grant"])]);
  expect(third._meta.text).toContain("ask for a grant of fs.write");
});

test("a grant on a path that leads over a link holds where the link leads, also for what is not there yet", async () => {
  symlinkSync(folder, file("link"));
  for (const path of [file("link"), file("link/later/more")]) {
    const given = await call(operator, "sec.grant", { principal: "tier:operational", ...writes(path) });
    expect(status(given)).toBe("done");
    const made = broker.grants(true).find(({ id }) => id === given.structuredContent?.["grant"]);
    expect(made?.scope.resources).toEqual([{ kind: "path", id: path.replace(file("link"), folder) }]);
  }
  expect(status(await write(operational, file("link/a")))).toBe("done");
});

test("an approval by somebody who could not give it makes no grant", async () => {
  const kills = { tools: ["process.kill"], resources: [{ kind: "process", id: "*" }], risk: "irreversible", reason: "the task" };
  const asked = await call(tactical, "sec.request", kills);
  const done = await broker.calls.decide(asked._meta.call, true, "person:anna", "fine", "operator");
  expect(done._meta).toMatchObject({ status: "undone", text: expect.stringContaining("cannot give what he may not do") });
  const again = await call(tactical, "sec.request", kills);
  expect(status(await broker.calls.decide(again._meta.call, true, "person:eve", "fine", "admin"))).toBe("done");
  expect(broker.grants(false)).toMatchObject([{ granted_by: "person:eve", scope: { risk: "irreversible" } }]);
});

test("people give what they may approve themselves, and nothing that is forbidden", async () => {
  expect(status(await call(operator, "sec.grant", { principal: "tier:operational", ...writes(folder) }))).toBe("done");
  expect(status(await call(observer, "sec.grant", { principal: "tier:operational", ...writes(folder) }))).toBe("refused");
  const forbidden = await call(admin, "sec.grant", { principal: "tier:operational", ...writes(join(folder, "data/broker")) });
  expect(forbidden._meta).toMatchObject({
    status: expect.stringMatching(/failed|undone/),
    text: expect.stringContaining("cannot give what he may not do"),
  });
  expect(broker.grants(false)).toHaveLength(1);
});

test("a tier gives to its own agent alone, of its own", async () => {
  const work = join(folder, "data/work");
  expect(status(await call(tactical, "sec.grant", { principal: "tier:tactical", ...writes(work) }))).toBe("refused");
  expect(status(await call(tactical, "sec.grant", { principal: "tier:operational", ...writes(work) }))).toBe("refused");
  expect(status(await call(operational, "sec.lease", { name: "helper", task: "x" }))).toBe("refused");
  expect(status(await call(tactical, "sec.lease", { name: "helper", task: "tidy up" }))).toBe("done");
  const agent: Who = { principal: "agent:helper", owner: "tier:tactical" };
  expect(status(await call(agent, "fs.mkdir", { path: join(work, "x"), parents: true }))).toBe("refused");
  const strategic: Who = { principal: "tier:strategic" };
  expect(status(await call(strategic, "sec.grant", { principal: "agent:helper", ...writes(work) }))).toBe("refused");
  expect(status(await call(tactical, "sec.grant", { principal: "agent:helper", ...writes(work, { tools: ["fs.mkdir"] }) }))).toBe("done");
  expect(status(await call(agent, "fs.mkdir", { path: join(work, "x"), parents: true }))).toBe("done");
  expect(status(await write(agent, join(work, "y")))).toBe("refused");
  expect(status(await call(agent, "sec.grant", { principal: "agent:helper", ...writes(work) }))).toBe("refused");
  expect(status(await call(agent, "sec.request", writes(work)))).toBe("refused");
  expect(status(await call(strategic, "sec.release", { name: "helper" }))).toBe("waiting");
  expect(status(await call(tactical, "sec.release", { name: "helper" }))).toBe("done");
  expect(status(await call(agent, "fs.mkdir", { path: join(work, "z") }))).toBe("refused");
  expect(broker.grants(true)).toMatchObject([{ state: "revoked" }]);
});

test("asking with arguments from outside says so to the person", async () => {
  const asked = await call(tactical, "sec.request", writes(folder), ["/resources/0/id"]);
  expect(status(asked)).toBe("waiting");
  expect(broker.approvals.get(asked._meta.call)?.approval.tainted).toEqual(["/resources/0/id"]);
});

test("a revoked grant ends for calls that come after", async () => {
  const { structuredContent } = await call(operator, "sec.grant", { principal: "tier:operational", ...writes(folder) });
  expect(status(await write(operational, file("a")))).toBe("done");
  expect(status(await call(operational, "sec.revoke", { grant: structuredContent?.["grant"] }))).toBe("refused");
  expect(status(await call(operator, "sec.revoke", { grant: structuredContent?.["grant"] }))).toBe("done");
  expect(status(await write(operational, file("b")))).toBe("refused");
});
