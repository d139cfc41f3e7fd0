/**
 * What the operational tier's chances are worth. Incidents come one after the other, raised by the sensors' own tracker and judged by the
 * real judge over the real memory, which has the lessons and decisions of those before; what is likeliest is tried. Whether it helps is drawn
 * from a world with a hidden chance for each cause and playbook, from a fixed seed: no fault of this machine comes three hundred times.
 * Every chance is said before its outcome is known. No language model: what it adds is measured in thinking.ts.
 */

import { recordOf, triesOf } from "../../agents/loop/track-record.ts";
import { ChatError, type ChoiceModel } from "../../agents/model/port.ts";
import { bundled_playbooks } from "../../agents/playbooks/index.ts";
import { fitting, loadPlaybooks } from "../../agents/playbooks/playbooks.ts";
import { loadThresholds } from "../../agents/router/thresholds.ts";
import { Alarms } from "../../agents/sensors/alarms/alarms.ts";
import { bundled_alarms } from "../../agents/sensors/alarms/index.ts";
import { loadAlarms } from "../../agents/sensors/alarms/load.ts";
import type { AlarmEvent } from "../../agents/shared/standing.ts";
import { startThinking, type Thinking } from "../../agents/testing/thinking.ts";
import type { Decision } from "../../contracts/decision.ts";
import type { Triage } from "../../contracts/memory/working/incidents.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { rowOf, rowOfValue, versus } from "./rows.ts";

const incidents_usually = 900;
/** The classifier is trained after so many of them, 0 to 1: the rest is heard with it. */
const trained_after = 0.6;
/** What came before has nothing to be calibrated on. */
const begins = 40;
const bins = 5;
const train_limit_ms = 300_000;
/** Why it came, as a sensor says it beside the figure, and the chance that a playbook helps against that; the second one is the better. */
const causes = [
  ["it has grown for many hours", [0.9, 0.95]],
  ["it came within a second", [0.6, 0.8]],
  ["its settings were changed a moment before", [0.1, 0.3]],
] as const;

interface Said {
  readonly before: number;
  /** What a tier then decides by. */
  readonly after: number;
  /** The same as the prior of the rule's own record, as it is weighed where nothing is calibrated (agents/loop/track-record.ts). */
  readonly recorded: number;
  readonly worked: boolean;
}

export async function benchCalibration(incidents = incidents_usually): Promise<BenchRow[]> {
  const none: ChoiceModel = { chat: absent, choose: absent };
  const thinking = await startThinking(none, loadThresholds(), { refit_every_ms: 0 });
  try {
    const random = randomFrom(5);
    const said: Said[] = [];
    let training: Training = { rows: [], used: false };
    for (let at = 0; at < incidents; at += 1) {
      if (at === Math.floor(incidents * trained_after)) training = await trained(thinking);
      const found = await live(thinking, at, random);
      if (found !== null) said.push(found);
    }
    const half = Math.floor(said.length * trained_after);
    const later = training.used ? ", with the classifier" : ", later, no classifier being better";
    return [...reliability("", said.slice(begins, half)), ...training.rows, ...reliability(later, said.slice(half))];
  } finally {
    await thinking.stop();
  }
}

/** One incident, from the figure to the lesson. */
async function live(thinking: Thinking, at: number, random: () => number): Promise<Said | null> {
  const cause = causes[Math.floor(random() * causes.length)] ?? causes[0];
  const event = raised(thinking, at, cause[0], random);
  const { alarm, subject, detail } = event.facts;
  const { triage } = await thinking.judge.judge(event, `${alarm} of ${subject}: ${detail}`);
  const [best] = triage.options;
  if (best === undefined) return null;
  const chance = cause[1][best.rule.length % 2] ?? 0.5;
  const worked = random() < chance;
  const { expected: recorded } = recordOf(await triesOf([best.rule], () => thinking.memory), best.rule, best.confidence);
  await remember(thinking, { event, best, worked, at });
  return { recorded, before: best.signals["neighbours"] ?? 0.5, after: best.confidence, worked };
}

const known = loadAlarms(bundled_alarms).loaded;
const playbooks = loadPlaybooks(bundled_playbooks).loaded;
const subjects = ["web", "db", "mail", "cache"];
/** Alarms that a playbook is against, whatever their subject is named. */
const met = known.filter(({ name }) => subjects.every((subject) => fitting(playbooks, name, subject).length > 0));

function raised(thinking: Thinking, at: number, why: string, random: () => number): AlarmEvent {
  const alarm = met[Math.floor(random() * met.length)];
  const subject = subjects[at % subjects.length] ?? "web";
  if (alarm === undefined) throw new Error("raising an alarm failed: no playbook is against any");
  const told: AlarmEvent[] = [];
  const watch = new Alarms([{ ...alarm, for_ms: 0 }], ({ facts }) => {
    told.push(thinking.event({ alarm: facts.alarm, subject: facts.subject, detail: facts.detail }));
  });
  const value = alarm.raise > alarm.clear ? alarm.raise + 1 : alarm.raise - 1;
  watch.take([alarm.figure], [{ figure: alarm.figure, subject, value, detail: why }], 0);
  const [event] = told;
  if (event === undefined) throw new Error(`raising "${alarm.name}" failed: its figure is not beyond the limit`);
  return event;
}

interface Tried {
  readonly event: AlarmEvent;
  readonly best: Triage["options"][number];
  readonly worked: boolean;
  readonly at: number;
}

/** Decision and lesson, as the loop leaves them (agents/loop/tries.ts). */
async function remember({ memory }: Thinking, { event, best, worked, at }: Tried): Promise<void> {
  const { alarm, subject } = event.facts;
  const id = `0badcafe-d-tactical-${at + 1}`;
  const decision: Decision = {
    ...{ id, time_ms: Date.now(), boot_ms: event.boot_ms, tier: "tactical", trigger: event, rule: best.rule, based_on: [] },
    ...{ confidence: best.confidence, signals: best.signals, reason: "", action: { do: "log" }, took_us: 1 },
    outcome: { result: worked ? "done" : "failed", detail: "", after_ms: 1000 },
  };
  await memory.call("decisions.append", { decisions: [decision] });
  const text = `Against the alarm ${alarm} ${subject}, ${best.rule} ${worked ? "helped" : "did not help"}: ${event.facts.detail}.`;
  await memory.call("append", {
    memories: [
      {
        ...{ id: `0badcafe-tactical-${at + 1}`, time_ms: Date.now(), boot_ms: event.boot_ms, kind: "lesson", source: "tactical" },
        ...{ severity: "error", tier: "tactical", tool: null, service: null, outcome: worked ? "worked" : "no-effect", text },
        ...{ body: { matter: `${alarm} ${subject}`, rule: best.rule, incident: "0badcafe-incident-1" }, taint: [], links: [] },
      },
    ],
  });
}

interface Training {
  readonly rows: readonly BenchRow[];
  readonly used: boolean;
}

/** As memory itself has measured it on what it held back. */
async function trained({ memory_of_broker }: Thinking): Promise<Training> {
  const begin_ms = performance.now();
  const { version, report } = await memory_of_broker.call("classifier.train", { why: "the bench" }, train_limit_ms);
  const took = rowOf("classifier: training", "ms", [performance.now() - begin_ms]);
  const row = (what: string, unit: string, after: number, before: number): BenchRow => {
    const name = `classifier, ${version === null ? "not switched on" : "switched on"}: ${what} on held-back cases`;
    const other = { ...rowOfValue("", unit, before), n: report.held_back };
    return versus({ ...rowOfValue(name, unit, after), n: report.held_back }, "before", other);
  };
  const rows = [
    took,
    row("loss", "nats", report.after.log_loss, report.before.log_loss),
    row("Brier score", "squared error", report.after.brier, report.before.brier),
    row("share right", "ratio", report.after.right / report.held_back, report.before.right / report.held_back),
  ];
  return { rows, used: version !== null };
}

/** Beside each other: what earlier cases had said, and what was made of it. */
function reliability(which: string, said: readonly Said[]): BenchRow[] {
  const rows = (["before", "after"] as const).flatMap((when) => curve(`${when} calibration${which}`, said, (one) => one[when]));
  const score = (name: string, of: (chance: (one: Said) => number) => number): BenchRow => {
    const value = (when: "before" | "after"): BenchRow => ({
      ...rowOfValue(
        name,
        "ratio",
        of((one) => one[when]),
      ),
      n: said.length,
    });
    return versus(value("after"), "before calibration", value("before"));
  };
  const brier = (chance: (one: Said) => number): number => mean(said.map((one) => (chance(one) - (one.worked ? 1 : 0)) ** 2));
  return [
    score(`operational, calibrated${which}: Brier score`, brier),
    versus(
      {
        ...rowOfValue(
          `operational, calibrated${which}: Brier score, alone`,
          "ratio",
          brier(({ after }) => after),
        ),
        n: said.length,
      },
      "with the rule's own record",
      {
        ...rowOfValue(
          "",
          "ratio",
          brier(({ recorded }) => recorded),
        ),
        n: said.length,
      },
    ),
    score(`operational, calibrated${which}: expected calibration error`, (chance) => calibrationError(said, chance)),
    ...rows,
  ];
}

function binned(said: readonly Said[], chance: (one: Said) => number): readonly (readonly Said[])[] {
  return Array.from({ length: bins }, (_, bin) => said.filter((one) => Math.min(bins - 1, Math.floor(chance(one) * bins)) === bin));
}

/** p50 is the mean chance that was said in the bin, the value what came of it. */
function curve(name: string, said: readonly Said[], chance: (one: Said) => number): BenchRow[] {
  return binned(said, chance).flatMap((own, bin) => {
    if (own.length === 0) return [];
    const predicted = mean(own.map(chance));
    const range = `${(bin / bins).toFixed(1)} to ${((bin + 1) / bins).toFixed(1)}`;
    const row = { name: `operational, ${name}: said ${range} (p50), came (value)`, unit: "ratio", n: own.length };
    return [{ ...row, p50: predicted, p99: predicted, value: mean(own.map(({ worked }) => (worked ? 1 : 0))) }];
  });
}

function calibrationError(said: readonly Said[], chance: (one: Said) => number): number {
  const gaps = binned(said, chance).map(
    (own) => (own.length / said.length) * Math.abs(mean(own.map(chance)) - mean(own.map(({ worked }) => (worked ? 1 : 0)))),
  );
  return gaps.reduce((sum, gap) => sum + gap, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / Math.max(1, values.length);
}

function absent(): Promise<never> {
  return Promise.reject(new ChatError("absent", "asking a model failed: this bench has none"));
}

/** The minimal standard generator (Park and Miller 1988), in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed * 7919;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
