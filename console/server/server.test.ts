import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { Problem, type Route, routes } from "../../contracts/console.ts";
import { decision, event, logRecord } from "../testing/records.ts";
import { startWorld, type World } from "../testing/world.ts";
import { validate } from "./openapi-check.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => await world.close());

const example: Readonly<Record<string, string>> = { name: "memory", id: decision.id };
const pathOf = (route: Route): string => route.path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(example[key] ?? ""));

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
    const response = route.method === "POST" ? await world.post(pathOf(route), { reason: "a test" }) : await world.get(pathOf(route));
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
}, 20_000);

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
