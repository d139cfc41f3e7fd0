import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Event, event_facts, event_kinds } from "../../contracts/event.ts";
import { Rule } from "../../contracts/rule.ts";
import { eventOf, exited } from "../testing/events.ts";
import { compileRule } from "./compile.ts";
import { Engine, type Match } from "./engine.ts";
import { loadRules } from "./rule-set.ts";
import { bundled_rules } from "./rules/index.ts";

const disk = (used_ratio: number, mount = "/data") => eventOf("disk.usage", { mount, used_ratio, free_bytes: 1, inodes_used_ratio: 0 });

const examples = { match: [{ facts: {} }], no_match: [{ facts: {} }] };

function engineOf(fields: object): Engine {
  const rule = { name: "under-test", on: ["disk.usage"], action: { do: "log" }, severity: "info", reason: "because", examples, ...fields };
  return new Engine([compileRule(Rule.parse(rule))]);
}

/** Times at which the engine acts on a series of values, one each `step_ms`. */
function actsAt(engine: Engine, values: readonly number[], step_ms: number): number[] {
  return values.flatMap((value, n) => (engine.take(disk(value), n * step_ms).length > 0 ? [n * step_ms] : []));
}

const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 });
const steps = fc.integer({ min: 1, max: 5000 });

test("rising threshold: acts once, and again only after the value has passed leave", () => {
  const threshold = { fact: "used_ratio", enter: 0.85, leave: 0.8 };
  expect(actsAt(engineOf({ threshold }), [0.8, 0.85, 0.9, 0.81, 0.9, 0.8, 0.84, 0.86], 1)).toEqual([1, 7]);
});

test("falling threshold: the same the other way round", () => {
  const threshold = { fact: "used_ratio", enter: 0.1, leave: 0.3 };
  expect(actsAt(engineOf({ threshold }), [0.2, 0.1, 0.05, 0.2, 0.05, 0.3, 0.2, 0.1], 1)).toEqual([1, 7]);
});

test("hysteresis never flaps: between two acts the value has passed leave, whatever comes", () => {
  const bound = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(values, bound, bound, (series, enter, leave) => {
      fc.pre(enter !== leave);
      const acts = actsAt(engineOf({ threshold: { fact: "used_ratio", enter, leave } }), series, 1);
      const passed = (value: number): boolean => (enter > leave ? value <= leave : value >= leave);
      for (let n = 1; n < acts.length; n += 1) expect(series.slice((acts[n - 1] ?? 0) + 1, acts[n]).some(passed)).toBe(true);
    }),
  );
});

test("an entry that falls into the cool-down acts after it, when it still holds", () => {
  const engine = engineOf({ threshold: { fact: "used_ratio", enter: 0.8, leave: 0.5 }, cool_down_ms: 100 });
  const at = (ratio: number, ms: number) => engine.take(disk(ratio), ms).length;
  expect([at(0.9, 0), at(0.4, 10), at(0.9, 20), at(0.9, 99), at(0.7, 100), at(0.9, 300)]).toEqual([1, 0, 0, 0, 1, 0]);
});

test("the cool-down is respected for every key, whatever comes", () => {
  const events = fc.array(fc.record({ key: fc.constantFrom("a", "b", "c"), after_ms: fc.integer({ min: 0, max: 300 }) }));
  fc.assert(
    fc.property(events, fc.integer({ min: 0, max: 1000 }), (series, cool_down_ms) => {
      const engine = engineOf({ key: "mount", cool_down_ms });
      const last = new Map<string, number>();
      let now_ms = 0;
      for (const { key, after_ms } of series) {
        now_ms += after_ms;
        const acted = engine.take(disk(0.5, key), now_ms).length > 0;
        const due = now_ms - (last.get(key) ?? Number.NEGATIVE_INFINITY) >= cool_down_ms;
        expect(acted).toBe(due);
        if (acted) last.set(key, now_ms);
      }
    }),
  );
});

test("a limit holds in every window, and what is over it is handed out as suppressed", () => {
  fc.assert(
    fc.property(
      fc.array(steps, { maxLength: 100 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 20_000 }),
      (gaps, count, within_ms) => {
        const engine = engineOf({ limit: { count, within_ms } });
        const carried_out: number[] = [];
        let now_ms = 0;
        for (const gap of gaps) {
          now_ms += gap;
          const [match] = engine.take(disk(0.5), now_ms);
          expect(match).toBeDefined();
          if (match?.suppressed === null) carried_out.push(now_ms);
          const in_window = carried_out.filter((at) => now_ms - at < within_ms).length;
          expect(in_window).toBeLessThanOrEqual(count);
          if (match?.suppressed !== null) expect(in_window).toBe(count);
        }
      },
    ),
  );
});

test("a rate acts only when that many matched within the window", () => {
  fc.assert(
    fc.property(
      fc.array(steps, { maxLength: 100 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 20_000 }),
      (gaps, count, within_ms) => {
        const engine = engineOf({ rate: { count, within_ms } });
        let since: number[] = [];
        let now_ms = 0;
        for (const gap of gaps) {
          now_ms += gap;
          since.push(now_ms);
          const wanted = since.filter((at) => now_ms - at < within_ms).length >= count;
          expect(engine.take(disk(0.5), now_ms).length > 0).toBe(wanted);
          if (wanted) since = [];
        }
      },
    ),
  );
});

test("keys are counted apart, and their number is bounded", () => {
  const engine = engineOf({ key: "mount", cool_down_ms: 1e6 });
  for (let n = 0; n < 5000; n += 1) expect(engine.take(disk(0.5, `/${n}`), 0)).toHaveLength(1);
  expect(engine.take(disk(0.5, "/4999"), 0)).toHaveLength(0);
  expect(engine.take(disk(0.5, "/0"), 0)).toHaveLength(1);
});

/** Any event that the contract lets in. */
const anyEvent: fc.Arbitrary<Event> = fc.constantFrom(...event_kinds).chain((kind) => {
  const parts = Object.entries(event_facts[kind].shape).map(([name, schema]) => {
    const any = fc.oneof(fc.string({ maxLength: 20 }), fc.double(), fc.boolean(), fc.constant(null), fc.constantFrom("__proto__", "lo"));
    const type = schema.def.type;
    if (type === "number") return [name, fc.double()] as const;
    if (type === "string") return [name, fc.string({ maxLength: 20 })] as const;
    if (type === "boolean") return [name, fc.boolean()] as const;
    if (type === "object") return [name, fc.record({ status: any, signal: any, cause: any })] as const;
    return [name, any] as const;
  });
  return fc.record(Object.fromEntries(parts)).map((facts) => eventOf(kind, facts as never));
});

test("no event makes the rules of the image throw", () => {
  const engine = new Engine(loadRules(bundled_rules).loaded);
  let now_ms = 0;
  fc.assert(
    fc.property(anyEvent, steps, (event, step_ms) => {
      now_ms += step_ms;
      for (const match of engine.take(event, now_ms)) expect(match.reason.length).toBeGreaterThan(0);
    }),
    { numRuns: 3000 },
  );
});

test("the rules of the image: a dead service is restarted three times a minute, then left to PID 1", () => {
  const engine = new Engine(loadRules(bundled_rules).loaded);
  const take = (ms: number): Match | undefined => engine.take(exited("console"), ms)[0];
  expect(take(0)).toMatchObject({ action: { do: "restart", service: "console" }, suppressed: null });
  expect([take(1000)?.suppressed, take(2000)?.suppressed]).toEqual([null, null]);
  expect(take(3000)?.suppressed).toBe("more than 3 in 60 s");
  expect(engine.take(exited("memory"), 3000)[0]?.suppressed).toBeNull();
  expect(take(60_000)?.suppressed).toBeNull();
  expect(engine.take(exited("memory", "stop requested"), 4000)).toEqual([]);
  expect(engine.take(exited("memory", "shutdown"), 4000)).toEqual([]);
});

test("a match says what it rests on: events that counted, the one that entered the threshold, what was decided before", () => {
  const event = (n: number, ratio = 0.9): Event => ({ ...disk(ratio), id: `0badcafe-init-${n}` });
  const only = (matches: readonly Match[]): Match => {
    if (matches.length !== 1 || matches[0] === undefined) throw new Error(`${matches.length} matches`);
    return matches[0];
  };
  const often = engineOf({ rate: { count: 3, within_ms: 100 } });
  for (const n of [1, 2, 3]) often.take(event(n), n * 60);
  const third = only(often.take(event(4), 210));
  expect(third.based_on).toEqual(["0badcafe-init-2", "0badcafe-init-3"]);
  third.state.decided("0badcafe-d-reactive-1");
  often.take(event(5), 220);
  often.take(event(6), 230);
  expect(only(often.take(event(7), 240)).based_on).toEqual(["0badcafe-d-reactive-1", "0badcafe-init-5", "0badcafe-init-6"]);

  const held = engineOf({ threshold: { fact: "used_ratio", enter: 0.8, leave: 0.5 }, again_ms: 100 });
  expect(only(held.take(event(1), 0)).based_on).toEqual([]);
  expect(only(held.take(event(2), 150)).based_on).toEqual(["0badcafe-init-1"]);
});
