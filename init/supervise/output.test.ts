import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LogRecord } from "../../contracts/event.ts";
import { LineRate } from "./capture.ts";
import { fuzzNotify } from "./fuzz.ts";
import { LineCutter, line_chars_max } from "./lines.ts";
import { parseNotify } from "./notify.ts";
import { saidBy } from "./record.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const line = (text: string) => ({ text, cut: 0 });

describe("lines", () => {
  test("are cut at newlines, however the bytes arrive", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", maxLength: 20 }).filter((text) => !/[\r\n]/.test(text))),
        fc.nat(7),
        (texts, size) => {
          const cutter = new LineCutter();
          const whole = bytes(texts.map((text) => `${text}\n`).join(""));
          const got: string[] = [];
          for (let at = 0; at < whole.length; at += size + 1)
            for (const each of cutter.push(whole.subarray(at, at + size + 1))) got.push(each.text);
          expect(got).toEqual(texts.map((text) => text.toWellFormed()));
          expect(cutter.end()).toBeNull();
        },
      ),
      { numRuns: 200 },
    );
  });

  test("an endless line is never held whole", () => {
    const cutter = new LineCutter();
    for (let chunk = 0; chunk < 100; chunk += 1) expect(cutter.push(bytes("x".repeat(1000)))).toEqual([]);
    const [cut] = cutter.push(bytes("\nnext"));
    expect(cut).toEqual({ text: "x".repeat(line_chars_max), cut: 100_000 - line_chars_max });
    expect(cutter.end()).toEqual({ text: "next", cut: 0 });
  });
});

describe("records", () => {
  test("pino's JSON is taken apart", () => {
    const said = saidBy(line('{"level":50,"time":1,"pid":2,"hostname":"h","msg":"broke","path":"/x"}'), "stdout");
    expect(said).toEqual({ level: "error", message: "broke", fields: { path: "/x" } });
  });

  test("what launch says is an error in words", () => {
    const said = saidBy(line('{"launch":"changing the uid","errno":1,"error":"Operation not permitted"}'), "stderr");
    expect(said).toEqual({ level: "error", message: "launch: changing the uid failed: Operation not permitted" });
  });

  test("anything else is text, and always makes a valid record", () => {
    expect(saidBy(line("plain"), "stdout")).toEqual({ level: "info", message: "plain" });
    expect(saidBy(line("plain"), "stderr")).toEqual({ level: "notice", message: "plain" });
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({ level: fc.anything(), msg: fc.anything(), a: fc.anything() }).map((value) => JSON.stringify(value) ?? ""),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const said = saidBy(line(text.slice(0, line_chars_max)), "stdout");
        LogRecord.parse({ seq: 1, time_ms: 1, boot_ms: 1, service: "a", stream: "stdout", ...said });
      }),
      { numRuns: 500 },
    );
  });

  test("too many lines are dropped and counted, and the bucket fills again", () => {
    const rate = new LineRate(0);
    let passed = 0;
    for (let n = 0; n < 5000; n += 1) if (rate.take(0) !== null) passed += 1;
    expect(passed).toBe(1000);
    expect(rate.take(1000)).toBe(4000);
    expect(rate.take(1000)).toBe(0);
  });
});

describe("sd_notify", () => {
  test("what is known is read", () => {
    expect(parseNotify("READY=1\nSTATUS=up\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=2500000\nMAINPID=7")).toEqual({
      ready: true,
      alive: true,
      stopping: false,
      reloading: false,
      stuck: false,
      status: "up",
      extend_ms: 2500,
    });
    expect(parseNotify("STOPPING=1")).toMatchObject({ stopping: true, ready: false });
    expect(parseNotify("RELOADING=1\nWATCHDOG=trigger")).toMatchObject({ reloading: true, stuck: true, alive: false });
    expect(parseNotify("READY=0\nEXTEND_TIMEOUT_USEC=-5")).toMatchObject({ ready: false, extend_ms: null });
  });

  test("whatever is sent is read as it was meant, and nothing of it breaks the supervisor", async () => {
    await fuzzNotify(1000, 42);
  }, 120_000);
});
