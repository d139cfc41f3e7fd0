import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Recalled } from "../contracts/memory/record.ts";
import { CallMeta } from "../contracts/tool.ts";
import type { OpenBroker } from "./broker.ts";
import type { Context } from "./context.ts";
import { worldMemory } from "./testing/memory.ts";
import { neighboursOf } from "./testing/neighbours.ts";
import { authorityFor, openTestBroker } from "./testing/open.ts";

const folders: string[] = [];
const brokers: OpenBroker[] = [];
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "remember-"));
  folders.push(folder);
  mkdirSync(join(folder, "data", "work"), { recursive: true });
  return folder;
}

async function open(folder: string, memory: Context["memory"], authority = () => "allow"): Promise<OpenBroker> {
  const broker = await openTestBroker(folder, {
    authority: authorityFor("allow", undefined, authority),
    remembers: true,
    neighbours: () => ({ ...neighboursOf(join(folder, "pid1.json")), memory }),
  });
  brokers.push(broker);
  return broker;
}

const meta = (text: string, more: Record<string, unknown> = {}) => CallMeta.parse({ reason: { text, ...more } });

async function make(broker: OpenBroker, tool: string, args: Record<string, unknown>, why = meta("to test it")) {
  const who = { principal: "tier:tactical", role: null, owner: null, undoes: null, redoes: null } as const;
  const { _meta } = await broker.calls.make({ ...who, tool, arguments: args, meta: why });
  return _meta;
}

async function recalled(
  memory: NonNullable<Context["memory"]>,
  id: string,
  ready: (one: Recalled) => boolean = () => true,
): Promise<Recalled> {
  for (;;) {
    const [found] = await memory.call("recall", { ids: [id] });
    if (found !== undefined && ready(found)) return found;
    await Bun.sleep(20);
  }
}

test("a call is remembered with who, what, why and what came of it; taken back, both say so", async () => {
  const folder = newFolder();
  const memory = worldMemory(folder);
  const broker = await open(folder, memory);
  const path = join(folder, "data/work/nginx.conf");
  const why = meta("nginx does not answer since the update", { event: "0badcafe-init-7", confidence: 0.9, alternatives: ["wait"] });
  const written = await make(broker, "fs.write", { path, content: "listen 80;", how: "write" }, why);
  expect(written.status).toBe("done");
  const action = await recalled(memory, written.call);
  expect(action).toMatchObject({ kind: "action", tier: "tactical", tool: "fs.write", outcome: "worked", severity: "info", taint: [] });
  expect(action.text).toContain(`fs.write on path ${path} by tier:tactical: done, because: nginx does not answer since the update`);
  expect(action.links).toEqual([{ relation: "caused-by", to: "0badcafe-init-7" }]);
  expect(action.body["why"]).toMatchObject({ confidence: 0.9, alternatives: ["wait"] });
  expect(action.body["arguments"]).toMatchObject({ path, content: "listen 80;" });

  const person = { principal: "person:operator", role: "admin", owner: null } as const;
  const { outcomes } = await broker.undo.run({ call: written.call }, person, meta("it did not help").reason, broker.calls);
  expect((await recalled(memory, written.call, ({ outcome }) => outcome === "undone")).kind).toBe("action");
  const back = await recalled(memory, outcomes[0]?.call ?? "");
  expect(back).toMatchObject({ outcome: "worked", tier: null, links: [{ relation: "undoes", to: written.call }] });
  const { found } = await memory.call("search", { query: "what was done when nginx did not answer", mode: "words", filter: {}, limit: 5 });
  expect(found.map(({ memory: { id } }) => id)).toContain(written.call);
});

test("what was refused or failed is remembered, what only looked is not, secrets are not, and what is tainted is marked", async () => {
  const folder = newFolder();
  const memory = worldMemory(folder);
  let authority = "deny";
  const broker = await open(folder, memory, () => authority);
  const refused = await make(broker, "fs.mkdir", { path: join(folder, "data/work/a") });
  expect(await recalled(memory, refused.call)).toMatchObject({ outcome: "refused", severity: "notice" });
  authority = "allow";
  const failed = await make(broker, "fs.mkdir", { path: "/proc/none" }, CallMeta.parse({ reason: { text: "try" }, tainted: ["/path"] }));
  expect(failed.status).not.toBe("done");
  const looked = await make(broker, "fs.list", { path: join(folder, "data/work") });
  const secret = await make(broker, "sec.secret_put", { name: "token", value: "hush-hush-hush", uses: [] });
  expect(secret).toMatchObject({ status: "done" });
  const put = await recalled(memory, secret.call);
  expect(JSON.stringify(put)).not.toContain("hush-hush-hush");
  expect(await memory.call("recall", { ids: [looked.call] })).toEqual([]);
});

test("what was done while memory was away, or before the broker was started again, is told later, once", async () => {
  const folder = newFolder();
  const away = await open(folder, null);
  const calls: string[] = [];
  for (const name of ["a", "b", "c"]) calls.push((await make(away, "fs.mkdir", { path: join(folder, "data/work", name) })).call);
  await away.close();
  brokers.length = 0;
  const memory = worldMemory(folder);
  const told: string[][] = [];
  const listening: NonNullable<Context["memory"]> = {
    call: ((method: string, params: { memories?: { id: string }[] }) => {
      if (method === "append") told.push((params.memories ?? []).map(({ id }) => id));
      return (memory.call as (method: string, params: unknown) => unknown)(method, params);
    }) as typeof memory.call,
  };
  const broker = await open(folder, listening);
  for (const call of calls) await recalled(memory, call);
  await broker.close();
  brokers.length = 0;
  const again = await open(folder, listening);
  const later = await make(again, "fs.mkdir", { path: join(folder, "data/work/d") });
  await recalled(memory, later.call);
  expect(told.flat().toSorted()).toEqual([...calls, later.call].toSorted());
});
