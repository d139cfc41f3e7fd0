/** The broker as its callers see it: who they are, what they may ask, and what they are told. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrokerCaller, broker_callers, broker_methods, broker_notifications } from "../contracts/broker.ts";
import { callerSocket, callerSocketFolder } from "../contracts/paths.ts";
import { CallMeta, ToolDescription } from "../contracts/tool.ts";
import { connectUnix } from "../wire/unix.ts";
import type { OpenBroker } from "./broker.ts";
import { Registry } from "./registry.ts";
import { type BrokerServer, serveBroker } from "./serve.ts";
import { testCatalog } from "./testing/catalog.ts";
import { authorityFor, openTestBroker } from "./testing/open.ts";

const folder = mkdtempSync(join(tmpdir(), "broker-"));
const run = join(folder, "run");
let broker: OpenBroker;
let server: BrokerServer;

beforeAll(async () => {
  for (const caller of broker_callers) mkdirSync(callerSocketFolder("broker", caller, run), { recursive: true });
  broker = await openTestBroker(folder, { authority: authorityFor("allow") });
  server = serveBroker(run, broker);
});
afterAll(async () => {
  server.close();
  await broker.close();
});

const told: unknown[] = [];
const connect = (caller: BrokerCaller) =>
  connectUnix(callerSocket("broker", caller, run), {
    serves: { methods: {}, handlers: {} },
    hears: {
      notifications: broker_notifications,
      listeners: { "call.output": (piece) => void told.push(piece), "call.ended": (ended) => void told.push(ended) },
    },
    calls: broker_methods,
    tells: {},
  });
const meta = CallMeta.parse({ reason: { text: "to test it" } });
const person = { name: "operator", role: "admin" } as const;

test("every caller has a socket of its own, for its group alone", () => {
  for (const caller of broker_callers) expect(statSync(callerSocket("broker", caller, run)).mode & 0o777).toBe(0o660);
  expect(server.missing).toEqual([]);
});

describe("the catalogue", () => {
  test("is listed in pages that fit into a frame, by name, whole", async () => {
    const peer = await connect("tactical");
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { tools: ToolDescription[]; nextCursor: string | null } = await peer.call("tools/list", { cursor });
      names.push(...page.tools.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(names).toEqual(
      testCatalog()
        .map(({ name }) => name)
        .sort(),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test("has a schema, a risk and words for each tool", async () => {
    const peer = await connect("reactive");
    for (const { name } of testCatalog()) {
      const tool = ToolDescription.parse(await peer.call("tools/get", { name }));
      expect(tool.description.length, name).toBeGreaterThan(40);
      expect(tool.inputSchema["type"], name).toBe("object");
      expect(tool.annotations.readOnlyHint, name).toBe(tool._meta.risk === "observe");
    }
    await expect(peer.call("tools/get", { name: "no.such" })).rejects.toThrow('there is no tool "no.such"');
  });

  test("takes a name once", () => {
    const [tool] = testCatalog();
    if (tool === undefined) throw new Error("the catalogue is empty");
    expect(() => Registry.of([tool, tool])).toThrow("the name is taken");
  });
});

describe("who calls", () => {
  test("is what the socket says: a tier cannot be a person, or somebody's agent", async () => {
    const peer = await connect("tactical");
    await expect(peer.call("tools/call", { name: "fs.stat", arguments: {}, _meta: meta, person })).rejects.toThrow(
      "does not speak for people",
    );
    await expect(peer.call("tools/call", { name: "fs.stat", arguments: {}, _meta: { ...meta, as: "nobody" } })).rejects.toThrow("no agent");
    const result = await peer.call("tools/call", { name: "fs.stat", arguments: { path: "/" }, _meta: meta });
    expect(result._meta.principal).toBe("tier:tactical");
  });

  test("the console has to say for whom", async () => {
    const peer = await connect("console");
    await expect(peer.call("tools/call", { name: "fs.stat", arguments: { path: "/" }, _meta: meta })).rejects.toThrow("for which person");
    const result = await peer.call("tools/call", { name: "fs.stat", arguments: { path: "/" }, _meta: meta, person });
    expect(result._meta.principal).toBe("person:operator");
  });

  test("approvals, grants, policies and the chain are for people", async () => {
    const peer = await connect("strategic");
    for (const call of [
      () => peer.call("approvals/list", {}),
      () => peer.call("approvals/decide", { call: "00000000-call-1", approve: true, reason: "me" }),
      () => peer.call("grants/list", {}),
      () => peer.call("policies/list", {}),
      () => peer.call("audit/verify", {}),
    ])
      await expect(call()).rejects.toThrow("strategic may not call");
  });

  test("tells why without the secret that was in it, and the audit never has it", async () => {
    const peer = await connect("console");
    const secret = `ghp_${"a1B2".repeat(9)}`;
    const why = CallMeta.parse({ reason: { text: `fetched with ${secret}`, alternatives: [`by https://me:${secret}@example.org`] } });
    const made = await peer.call("tools/call", {
      name: "fs.write",
      arguments: { path: join(folder, "a"), content: "a", how: "create" },
      _meta: why,
      person,
    });
    expect(made._meta.status).toBe("done");
    const { call } = made._meta;
    await peer.call("undo/run", { target: { call }, reason: { text: `it had ${secret}` }, person });
    const { entries } = await peer.call("audit/query", { query: { limit: 20 }, person });
    const told = entries.filter((entry) => entry.call === call || entry.reason?.text.startsWith("it had"));
    expect(new Set(told.map(({ reason }) => reason?.text))).toEqual(
      new Set(["fetched with [redacted: GitHub token]", "it had [redacted: GitHub token]"]),
    );
    expect(JSON.stringify(entries)).not.toContain(secret);
  });

  test("a look of a tier is on record once, and each time when it has a key or belongs to an incident; a person's is each time", async () => {
    const [peer, console_] = [await connect("tactical"), await connect("console")];
    const look = async (more: Partial<CallMeta>, of = peer, by = {}) => {
      const made = { name: "fs.stat", arguments: { path: "/etc" }, _meta: { ...meta, ...more } };
      return (await of.call("tools/call", { ...made, ...by }))._meta;
    };
    const recorded = async (call: string) => {
      const { entries } = await console_.call("audit/query", { query: { call }, person });
      return entries.map(({ status }) => status);
    };
    const [first, again] = [await look({}), await look({})];
    expect(again.status).toBe("done");
    expect(await Promise.all([first, again].map(({ call }) => recorded(call)))).toEqual([["done"], []]);
    const keyed = await look({ key: "one" });
    expect(await recorded(keyed.call)).toEqual(["done"]);
    expect((await look({ key: "one" })).call).toBe(keyed.call);
    for (let n = 0; n < 2; n += 1) {
      expect(await recorded((await look({ group: "incident" })).call)).toEqual(["done"]);
      expect(await recorded((await look({}, console_, { person })).call)).toEqual(["done"]);
    }
  });

  test("a tier sees its own calls only", async () => {
    const [tactical, strategic, console_] = [await connect("tactical"), await connect("strategic"), await connect("console")];
    const { _meta } = await tactical.call("tools/call", { name: "fs.stat", arguments: { path: "/usr" }, _meta: meta });
    expect((await tactical.call("calls/get", { call: _meta.call })).outcome?.status).toBe("done");
    expect((await console_.call("calls/get", { call: _meta.call, person })).outcome?.status).toBe("done");
    await expect(strategic.call("calls/get", { call: _meta.call })).rejects.toThrow("not a call of tier:strategic");
    const { entries } = await strategic.call("audit/query", { query: { principal: "tier:tactical" } });
    expect(entries.filter(({ principal }) => principal !== "tier:strategic")).toEqual([]);
    await expect(strategic.call("calls/cancel", { call: _meta.call, reason: "no" })).rejects.toThrow("not a call of tier:strategic");
  });
});
