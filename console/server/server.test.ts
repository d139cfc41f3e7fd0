import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { Problem, type Route, routes } from "../../contracts/console.ts";
import { broker_routes } from "../../contracts/console-broker.ts";
import { call_id, outcome } from "../testing/broker-records.ts";
import { decision, event, logRecord } from "../testing/records.ts";
import { startWorld, type World } from "../testing/world.ts";
import { validate } from "./openapi-check.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => await world.close());

/** Path parameters and bodies, for routes that want others than most. */
const example: Readonly<Record<string, string>> = { name: "memory", id: decision.id };
const of_broker = { name: "fs.read", id: call_id };
const bodies: Readonly<Record<string, unknown>> = {
  call_confirm: {},
  call_make: { name: "fs.write", arguments: { path: "/x" }, _meta: { reason: { text: "a test" } } },
  undo_plan: { target: { call: call_id } },
  undo: { target: { call: call_id }, reason: { text: "a test" } },
  approval_decide: { approve: true, reason: "a test" },
};
const pathOf = (name: string, route: Route): string => {
  const values: Readonly<Record<string, string>> = Object.hasOwn(broker_routes, name) ? of_broker : example;
  return route.path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(values[key] ?? ""));
};

async function problem(response: Promise<Response>): Promise<Problem> {
  const got = await response;
  expect(got.headers.get("content-type")).toBe("application/problem+json");
  const read = Problem.parse(await got.json());
  expect(read.status).toBe(got.status);
  return read;
}

async function linesOf(response: Response, count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  let rest = "";
  for await (const chunk of response.body ?? []) {
    const parts = (rest + new TextDecoder().decode(chunk)).split("\n");
    rest = parts.pop() ?? "";
    found.push(...parts.filter((part) => part !== "").map((part): unknown => JSON.parse(part)));
    if (found.length >= count) break;
  }
  return found;
}

for (const [name, route] of Object.entries(routes) as [string, Route][]) {
  test(`${name} answers what its route promises`, async () => {
    const path = pathOf(name, route);
    const response = route.method === "POST" ? await world.post(path, bodies[name] ?? { reason: "a test" }) : await world.get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("aios-source")).not.toBeNull();
    const items = route.stream ? await linesOf(response, 1) : [await response.json()];
    expect(items.length).toBeGreaterThan(0);
    for (const item of items) expect(route.response.safeParse(item).error?.message).toBeUndefined();
  });
}

test("changes carry who and why to PID 1", async () => {
  await world.post("/v1/services/memory/restart", { reason: "it is slow" });
  expect(world.system.init.calls.at(-1)).toEqual({
    method: "service.restart",
    params: { service: "memory", why: { who: "operator", reason: "it is slow" } },
  });
});

test("what does not fit is refused with a problem that says what to do", async () => {
  expect((await problem(world.get("/v1/nothing"))).status).toBe(404);
  const wrong_method = await world.get("/v1/status", { method: "DELETE" });
  expect([wrong_method.status, wrong_method.headers.get("allow")]).toEqual([405, "GET"]);
  expect((await problem(world.get("/v1/events?lines=0"))).status).toBe(400);
  expect((await problem(world.get("/v1/events?lines=1&lines=2"))).detail).toContain("given twice");
  expect((await problem(world.get("/v1/status?x=1"))).status).toBe(400);
  expect((await problem(world.post("/v1/system/reboot", { reason: "" }))).status).toBe(400);
  expect((await problem(world.post("/v1/system/reboot", { reason: "r", force: true }))).status).toBe(400);
  expect((await problem(world.get("/v1/system/reboot", { method: "POST", body: "{" }))).status).toBe(400);
  expect((await problem(world.post("/v1/system/reboot", { reason: "x".repeat(70_000) }))).status).toBe(413);
  expect((await problem(world.get(`/v1/events?kind=${"k".repeat(5000)}`))).status).toBe(414);
  expect((await problem(world.post("/v1/services/nope/restart", { reason: "r" }))).status).toBe(404);
  expect((await problem(world.post("/v1/services/%00/restart", { reason: "r" }))).status).toBe(400);
  expect((await problem(world.get("/v1/why/nothing"))).status).toBe(404);
});

test("an answer that does not fit its contract is not passed on", async () => {
  const { answers } = world.system.init;
  const before = answers["system.boot"];
  Object.assign(answers, { "system.boot": () => ({ boot_id: 7 }) });
  expect((await problem(world.get("/v1/boot"))).status).toBe(500);
  Object.assign(answers, { "system.boot": before });
});

test("the OpenAPI document is valid and has every route", async () => {
  const document: unknown = await (await world.get("/v1/openapi.json")).json();
  expect(await validate(document)).toEqual([]);
  for (const route of Object.values(routes)) expect(document).toHaveProperty(["paths", route.path, route.method.toLowerCase()]);
});

test("events go live, from PID 1 and from memory, each once", async () => {
  const response = await world.get("/v1/events?follow=true&lines=1");
  const from_init = event(50, "power.button", { key: "power" });
  const from_tier = event(1, "clock.step", { by_ms: 70 }, { source: "reactive" });
  await Bun.sleep(50);
  world.system.init.emit(from_init);
  world.memory?.writeEvent(from_init);
  world.memory?.writeEvent(from_tier);
  world.system.init.emit(event(51, "power.button", { key: "power" }));
  const ids = (await linesOf(response, 4)).map((one) => (one as { id: string }).id);
  expect(ids.sort()).toEqual(["0badcafe-init-5", "0badcafe-init-50", "0badcafe-init-51", "0badcafe-reactive-1"]);
});

test("logs: the newest of one service, then what comes; the subscription ends with the reader", async () => {
  const held = await linesOf(await world.get("/v1/logs?service=memory&lines=1"), 9);
  expect(held).toMatchObject([{ seq: 3, service: "memory" }]);
  const response = await world.get("/v1/logs?service=memory&follow=true");
  await world.system.init.until("a subscription", () => world.system.subscriptions.size > 0);
  world.system.log(logRecord(10, "reactive", "not this"));
  world.system.log(logRecord(11, "memory", "this"));
  const got = await linesOf(response, 3);
  expect(got.map((one) => (one as { seq: number }).seq)).toEqual([1, 3, 11]);
  await world.system.init.until("the subscription to end", () => world.system.subscriptions.size === 0);
});

test("a reader who does not read is let go", async () => {
  const socket = connect(world.socket);
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()).on("error", () => {}));
  socket.pause();
  socket.write("GET /v1/logs?follow=true&lines=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  await world.system.init.until("a subscription", () => world.system.subscriptions.size > 0);
  for (let seq = 100; seq < 1100 && world.system.subscriptions.size > 0; seq += 1) {
    world.system.log(logRecord(seq, "memory", "y".repeat(8000)));
    if (seq % 50 === 0) await Bun.sleep(5);
  }
  await world.system.init.until("the console to let go", () => world.system.subscriptions.size === 0);
  socket.resume();
  await closed;
  expect((await world.get("/v1/status")).status).toBe(200);
}, 120_000);

test("without memory, events come from PID 1's ring and say so; decisions are a problem", async () => {
  const alone = await startWorld({ memory: false });
  try {
    await Bun.sleep(100);
    const response = await alone.get("/v1/events");
    expect(response.headers.get("aios-source")).toBe("init-ring");
    expect(response.headers.get("aios-note")).toContain("memory is away");
    expect((await linesOf(response, 5)).length).toBe(5);
    expect((await problem(alone.get("/v1/decisions"))).status).toBe(503);
    expect((await alone.get("/v1/why/0badcafe-init-3")).status).toBe(200);
    expect((await problem(alone.get("/v1/why/0badcafe-d-reactive-1"))).status).toBe(503);
  } finally {
    await alone.close();
  }
});

test("calls carry the operator, arguments and reason to the broker", async () => {
  const body = { name: "fs.write", arguments: { path: "/srv/x", text: "t" }, _meta: { reason: { text: "why not" }, dry_run: true } };
  expect((await world.post("/v1/calls", body)).headers.get("aios-source")).toBe("broker");
  expect(world.broker?.calls.at(-1)).toMatchObject({
    method: "tools/call",
    params: {
      name: "fs.write",
      arguments: body.arguments,
      _meta: { reason: { text: "why not" }, dry_run: true },
      person: { name: "operator", role: "admin" },
    },
  });
  await world.post(`/v1/calls/${call_id}/cancel`, { reason: "enough" });
  expect(world.broker?.calls.at(-1)).toMatchObject({
    method: "calls/cancel",
    params: { call: call_id, reason: "enough", person: { name: "operator" } },
  });
});

test("a call's body may have 192 KiB, and no more; nobody says for whom he calls", async () => {
  const call = (text: string, more = {}) =>
    world.post("/v1/calls", { name: "fs.write", arguments: { text }, _meta: { reason: { text: "r" } }, ...more });
  expect((await call("x".repeat(190 * 1024))).status).toBe(200);
  expect((await problem(call("x".repeat(193 * 1024)))).status).toBe(413);
  expect((await problem(call("", { person: { name: "root", role: "admin" } }))).status).toBe(400);
  expect((await problem(world.post("/v1/calls", { name: "fs.write", arguments: {}, _meta: {} }))).detail).toContain("_meta.reason");
});

test("what the broker refuses is a problem in its own words", async () => {
  expect(await problem(world.get("/v1/tools/no.such"))).toMatchObject({ status: 404, detail: 'there is no tool "no.such"' });
  expect(await problem(world.get("/v1/calls/0badcafe-call-99"))).toMatchObject({ status: 404 });
  expect((await problem(world.get("/v1/calls/..%2f"))).status).toBe(400);
  expect((await problem(world.get("/v1/calls/0badcafe-call-99/output"))).status).toBe(404);
});

test("the audit comes page by page until there are enough entries or no more", async () => {
  const seqs = async (query: string) =>
    (await linesOf(await world.get(`/v1/audit?${query}`), 99)).map((one) => (one as { seq: number }).seq);
  expect(await seqs("lines=100000")).toEqual([4, 3, 2, 1]);
  expect(await seqs("lines=3")).toEqual([4, 3, 2]);
  expect(await seqs("before_seq=3")).toEqual([2, 1]);
  expect(await seqs("kind=intent")).toEqual([2]);
  expect((await problem(world.get("/v1/audit?kind=nothing"))).status).toBe(400);
  expect((await problem(world.get("/v1/audit?since_ms=yesterday"))).status).toBe(400);
});

test("a call is followed until it ends, by each on a connection of his own", async () => {
  const { broker } = world;
  if (broker === null) throw new Error("this test needs a broker");
  broker.outcome = null;
  const [one, two] = await Promise.all([1, 2].map(() => world.get(`/v1/calls/${call_id}/output`)));
  await world.system.init.until("two followers", () => broker.followers.size === 2);
  for (const follower of broker.followers) {
    follower.tell("call.output", { call: call_id, stream: "stdout", text: "hello\n" });
    follower.tell("call.ended", { outcome });
  }
  for (const response of [one, two])
    expect(await linesOf(response ?? new Response(), 99)).toEqual([{ stream: "stdout", text: "hello\n" }, { outcome }]);
  await world.system.init.until("no followers", () => broker.followers.size === 0);
  broker.outcome = outcome;
  expect(await linesOf(await world.get(`/v1/calls/${call_id}/output`), 99)).toEqual([{ outcome }]);
});

test("without a broker, what needs it is a problem and the rest works", async () => {
  const alone = await startWorld({ broker: false });
  try {
    const away = await problem(alone.get("/v1/tools"));
    expect([away.status, away.detail.startsWith("the broker is away")]).toEqual([503, true]);
    expect((await problem(alone.get(`/v1/calls/${call_id}/output`))).status).toBe(503);
    expect((await alone.get("/v1/status")).status).toBe(200);
  } finally {
    await alone.close();
  }
});
