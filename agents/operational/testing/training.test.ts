/** The tier's own training, in the real memory; the broker's part is the one call of memory that its tools make. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Decision } from "../../../contracts/decision.ts";
import { type ToolAnswer, tool_answers } from "../../../contracts/tool-answers.ts";
import { diskFolder } from "../../../memory/testing/folder.ts";
import { type MemoryPeer, type MemoryService, startMemory } from "../../../memory/testing/service.ts";
import { ClassifierSignal } from "../classifier-signal.ts";
import { trainingRound, versionBefore } from "../training.ts";

setDefaultTimeout(600_000);
const patience_ms = 500_000;
const rule = "playbook service-restart";

let memory: MemoryService;
let broker: MemoryPeer;
let operational: MemoryPeer;
let tactical: MemoryPeer;
beforeAll(async () => {
  memory = await startMemory(diskFolder("training"));
  [broker, operational, tactical] = await Promise.all([memory.ask("broker"), memory.ask("operational"), memory.ask("tactical")]);
});
afterAll(() => memory?.kill());

const asked: string[] = [];
const ports: Parameters<typeof trainingRound>[0] = {
  memory: () => operational,
  log: { info: () => {}, warn: () => {}, error: () => {} },
  ask: async (tool, args, why) => {
    asked.push(`${tool}: ${why}`);
    const answer =
      tool === "memory.train"
        ? await broker.call("classifier.train", { why }, patience_ms)
        : await broker.call("classifier.use", { version: args["version"] === null ? null : Number(args["version"]), why });
    return tool_answers[tool].parse(answer) as ToolAnswer<typeof tool>;
  },
};

let made = 0;
function event(alarm: string): Decision["trigger"] & { kind: "alarm.changed" } {
  const facts = { alarm, subject: "web", raised: true, value: 1, limit: 1, stood_ms: 0, detail: "" };
  const from = { id: `0badcafe-reactive-${++made}`, time_ms: Date.now(), boot_ms: made, source: "reactive" as const };
  return { ...from, severity: "error", kind: "alarm.changed", facts };
}

/** A new start helps against too many files and not against a crash loop, but for one in ten. */
async function live(count: number, helps: (alarm: string) => boolean, signals?: (alarm: string) => Decision["signals"]): Promise<void> {
  const decisions = Array.from({ length: count }, (_, at): Decision => {
    const alarm = at % 2 === 0 ? "service-files" : "service-crash-loop";
    const said = signals?.(alarm);
    const trigger = event(alarm);
    return {
      ...{
        id: `0badcafe-d-tactical-${made}`,
        time_ms: Date.now(),
        boot_ms: made,
        tier: "tactical",
        rule,
        based_on: [],
        reason: "so",
        took_us: 1,
      },
      ...{ trigger, action: { do: "log" }, ...(said === undefined ? {} : { signals: said }) },
      outcome: { result: helps(alarm) === (at % 10 !== 3) ? "done" : "failed", detail: "", after_ms: 1 },
    };
  });
  for (let at = 0; at < decisions.length; at += 20) await tactical.call("decisions.append", { decisions: decisions.slice(at, at + 20) });
}

test("it is trained when enough came of decisions, heard from then on, and taken back when what it says comes otherwise", async () => {
  const signal = new ClassifierSignal(() => operational);
  const candidates = [{ rule, name: "service-restart", does: "starts the service anew" }];
  const said = async (alarm: string): Promise<number | undefined> => (await signal.weigh(event(alarm), candidates)).chances.get(rule);
  const round = trainingRound(ports, 0);

  await live(60, (alarm) => alarm === "service-files");
  await round.run();
  expect(asked).toEqual([]);
  await live(60, (alarm) => alarm === "service-files");
  await round.run();
  expect(asked).toEqual([expect.stringContaining("memory.train: 120 decisions came to an end")]);
  const [files, loop] = [await said("service-files"), await said("service-crash-loop")];
  if (files === undefined || loop === undefined) throw new Error("it says nothing");
  expect(files).toBeGreaterThan(0.7);
  expect(loop).toBeLessThan(0.3);

  // the world has turned round
  const signals = (alarm: string) => ({ neighbours: 0.5, classifier: alarm === "service-files" ? files : loop });
  await live(30, (alarm) => alarm !== "service-files", signals);
  await round.run();
  expect(asked.at(-1)).toContain("memory.classifier: version 1 of the classifier has become worse: its loss on 30 outcomes");
  expect(await said("service-files")).toBeUndefined();
  const asked_before = asked.length;
  await round.run();
  expect(asked).toHaveLength(asked_before);
});

test("what gives way goes to the version that was used before it, and never back to one that gave way itself", () => {
  const before = (...used: (number | null)[]) =>
    versionBefore(
      used[0] ?? 0,
      used.map((version) => ({ version })),
    );
  expect(before(1)).toBeNull();
  expect(before(2, 1)).toBe(1);
  expect(before(1, 2, 1)).toBeNull();
  expect(before(3, 1, 2, 1)).toBe(1);
  expect(before(2, null, 1)).toBeNull();
});
