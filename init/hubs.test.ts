import { describe, expect, test } from "bun:test";
import { shortBootId } from "../contracts/boot-id.ts";
import { Event, type LogRecord } from "../contracts/event.ts";
import { EventHub } from "./events.ts";
import { LogHub } from "./logs.ts";
import { jsonBytes, Ring } from "./ring.ts";

const clock = { wall: () => 1000, boot: () => 5 };

test("a ring keeps the newest by number and by weight, and its array does not grow", () => {
  const ring = new Ring<number>(100, 1_000_000, (item) => item);
  for (let n = 0; n < 100_000; n += 1) ring.push(n % 1000);
  expect(ring.size).toBe(100);
  const heavy = new Ring<string>(1000, 50, (text) => text.length);
  for (let n = 0; n < 100; n += 1) heavy.push("x".repeat(20));
  expect([heavy.size, heavy.weight]).toEqual([2, 40]);
  heavy.push("y".repeat(500));
  expect(heavy.all()).toEqual(["y".repeat(500)]);
});

test("all that the hubs hold is read in one go, whatever services write: it fits into what a socket holds", () => {
  const hub = new LogHub(clock);
  for (const letter of ["\0", "\x1b", '"', "\u20ac", "\ud800"])
    for (let n = 0; n < 1000; n += 1) hub.add({ service: "a", stream: "stdout", level: "info", message: letter.repeat(8192) });
  for (let n = 0; n < 6000; n += 1) hub.add({ service: "a", stream: "stdout", level: "info", message: "\0" });
  const told = (records: readonly LogRecord[]): number =>
    records.reduce((sum, record) => sum + jsonBytes({ jsonrpc: "2.0", method: "log", params: { subscription: 1, record } }) + 4, 0);
  expect(told(hub.last(5000, null))).toBeLessThan(4 * 1024 * 1024);
  hub.add({ service: "a", stream: "stdout", level: "info", message: "\x1b[31mred\x1b[0m\tand \0\x07" });
  expect(hub.last(1, null)[0]?.message).toBe("red\tand \ufffd\ufffd");
});

describe("events", () => {
  test("fit the contract, have growing ids, and are told to those who subscribed", () => {
    const hub = new EventHub(clock, () => "0badcafe-0000-4000-8000-000000000000");
    const told: string[] = [];
    const unsubscribe = hub.subscribe((event) => told.push(event.id));
    hub.emit("boot.ready", "info", { what: "all", at_ms: 1 });
    hub.emit("kernel.log", "warning", { priority: 4, sequence: 1, at_us: 1 }, "x".repeat(9000));
    unsubscribe();
    hub.emit("boot.ready", "info", { what: "all", at_ms: 1 });
    expect(told).toEqual(["0badcafe-init-1", "0badcafe-init-2"]);
    for (const event of hub.after(null)) Event.parse(event);
  });

  test("after an id come those that followed; after one that is gone, all that are held", () => {
    const hub = new EventHub(clock, () => "0badcafe");
    for (let n = 0; n < 5000; n += 1) hub.emit("boot.ready", "info", { what: "all", at_ms: n });
    expect(hub.after("0badcafe-init-4998").map(({ id }) => id)).toEqual(["0badcafe-init-4999", "0badcafe-init-5000"]);
    expect(hub.after("0badcafe-init-1").length).toBe(4096);
    expect(hub.after(null)[0]?.id).toBe("0badcafe-init-905");
  });

  test("a boot id that cannot be read still makes a valid id", () => {
    expect(shortBootId("")).toBe("00000000");
  });
});

test("logs: the newest, of one service or all, capped in number", () => {
  const hub = new LogHub(clock);
  for (let n = 0; n < 6000; n += 1) hub.add({ service: n % 2 === 0 ? "a" : "b", stream: "stdout", level: "info", message: `${n}` });
  expect(hub.last(2, "a").map(({ message }) => message)).toEqual(["5996", "5998"]);
  expect(hub.last(0, null)).toEqual([]);
  expect(hub.last(100_000, null).length).toBe(5000);
  for (let n = 0; n < 1000; n += 1) hub.add({ service: "a", stream: "stdout", level: "info", message: "x".repeat(9000) });
  expect(hub.last(5000, null).length).toBeLessThan(300);
});
