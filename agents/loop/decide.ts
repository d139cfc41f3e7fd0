/**
 * What is done about an incident: those who know are asked in turn, the cheapest first, until something is likely enough to help.
 * When nothing is, the tier above is asked; when there is none, or it had its turn, the likeliest of what is left is tried, and
 * after that a person has to look. When nobody above could be asked (offline, out of budget) it is the safest of what is left.
 */

import type { Asked, Decision } from "../../contracts/decision.ts";
import { sureMin } from "../router/sure.ts";
import { seenGoneMs } from "../shared/seen-gone.ts";
import { type AlarmEvent, gravity, isOfService, matterOf } from "../shared/standing.ts";
import { leaveToBelow, tryBelow } from "./below.ts";
import { lastinglyWorse, measureHealth } from "./health.ts";
import type { Held } from "./incidents.ts";
import type { Option, OptionSource } from "./options.ts";
import { decisions_looked_at, type LoopPorts, tries_looked_at } from "./ports.ts";
import { safestFirst } from "./safest.ts";
import { lastOn, recordOf, type TrackRecord, triesOf } from "./track-record.ts";
import { identityOf, triedBy, wasTried } from "./tried.ts";

/** A tier that tried as often is at its end. */
const tries_max = 3;
const alternatives_max = 8;

interface Ranked {
  readonly option: Option;
  readonly record: TrackRecord;
  /** The last time on this very matter: 1 it helped, -1 it did not, 0 it was not tried. */
  readonly last: number;
}

interface Found {
  /**
   * The best first: what is sure before what is not, then what helped here the last time, then the likeliest. Nothing that was tried
   * on this incident, or is too unlikely ever to be tried.
   */
  readonly ranked: readonly Ranked[];
  readonly asked: readonly Asked[];
  /** Where text from outside came from that options rest on. */
  readonly taint: readonly string[];
  /** Why somebody could not be asked at the moment, or null. */
  readonly unasked: string | null;
}

const unasked_chars_max = 300;
const taint_max = 16;

export async function decide(held: Held, ports: LoopPorts): Promise<void> {
  const began_ms = performance.now();
  const past = await ports.memory().call("decisions.list", { limit: decisions_looked_at });
  const below = tryBelow(past, held);
  if (below !== null) {
    await leaveToBelow(held, below);
    return;
  }
  const event = ports.standing.get(held.item.body.key);
  if (event === null) {
    await cleared(held, ports);
    return;
  }
  const { decisions } = held.item.body;
  const of_this = decisions.length === 0 ? [] : await ports.memory().call("decisions.get", { ids: decisions });
  const tried = triedBy(of_this.filter(counts));
  const may_try = of_this.filter(({ tier }) => tier === ports.tier).length < tries_max;
  const tries = await ports.memory().call("learning.tries", { limit: tries_looked_at });
  const { sure_min } = sureMin(tries, ports.tier, ports.thresholds);
  const found = may_try
    ? await search(held, { tried, sure_min, last: lastOn(held.item.body.key, tries) }, ports)
    : { ranked: [], asked: [], taint: [], unasked: null };
  // to ask takes seconds, and a tier above minutes
  if (ports.standing.get(held.item.body.key) === null) {
    if (found.asked.length > 0) await held.edit({ spent: spentOn(held, found.asked) }, "the alarm was cleared while others were asked");
    await cleared(held, ports);
    return;
  }
  const rules_tried = [...new Set(of_this.filter(counts).map(({ rule }) => rule))];
  const chosen = await choice(held, found, { rules_tried, sure_min }, ports);
  if (chosen === null) return;
  const { best, others, because } = chosen;
  const before = await measureHealth(ports.ask, ports.standing, held.item.body.key);
  const { option, record, last } = best;
  const instead = others.map((other) => other.option.rule).join(", ") || "nothing else";
  const decision: Decision = {
    id: ports.ids.decision(),
    time_ms: Date.now(),
    boot_ms: ports.boot_ms(),
    tier: ports.tier,
    trigger: event,
    rule: option.rule,
    based_on: held.item.body.memories.slice(0, 32),
    asked: found.asked.slice(0, 8),
    confidence: record.expected,
    ...(option.signals === undefined ? {} : { signals: option.signals }),
    alternatives: others.slice(0, alternatives_max).map((other) => ({ what: other.option.rule, confidence: other.record.expected })),
    reason: `${option.does}: ${because}it helped ${record.worked} of ${record.tries} times (expected ${record.expected.toFixed(2)})${last > 0 ? ", and the last time here" : ""}; else: ${instead}`,
    action: {
      do: "call",
      calls: option.calls.map((call) => ({ ...call })),
      watch_ms: Math.max(option.watch_ms, seenGoneMs(event.facts.alarm)),
    },
    took_us: Math.round((performance.now() - began_ms) * 1000),
    outcome: { result: "pending", detail: "the calls are being made", after_ms: null },
  };
  await ports.memory().call("decisions.append", { decisions: [decision] });
  await held.move("acting", decision.reason.slice(0, 500), {
    decisions: [...held.item.body.decisions, decision.id].slice(-32),
    health_before: { ...before },
    spent: spentOn(held, found.asked),
    taint: [...new Set([...held.item.body.taint, ...found.taint])].slice(0, taint_max),
  });
}

interface Choice {
  readonly best: Ranked;
  readonly others: readonly Ranked[];
  /** In a clause, where it is not its chance that decided; else empty. */
  readonly because: string;
}

interface Weighing {
  readonly rules_tried: readonly string[];
  readonly sure_min: number;
}

/** @returns null when another tier goes on, or a person */
async function choice(held: Held, found: Found, { rules_tried, sure_min }: Weighing, ports: LoopPorts): Promise<Choice | null> {
  const [best, ...others] = found.ranked;
  if (best !== undefined && best.record.expected >= sure_min) return { best, others, because: "" };
  const why = best === undefined ? nothingLeft(rules_tried, found.asked) : `${best.option.rule} is not likely to help`;
  if (await passedOn(held, why, found, ports)) return null;
  const { unasked } = held.item.body;
  if (unasked === undefined) {
    if (best !== undefined) return { best, others, because: "" };
    await handOver(held, why, found);
    return null;
  }
  const nobody = `nobody above could be asked (${unasked})`;
  const [safest, ...next] = await safestFirst(found.ranked, ports.broker);
  if (safest !== undefined) return { best: safest, others: next, because: `the safest of what is left, since ${nobody}; ` };
  const unsafe = found.ranked.map(({ option }) => option.rule).join(", ");
  await handOver(held, unsafe === "" ? `${nobody}; ${why}` : `${nobody}, and nothing safe is left; not tried: ${unsafe}`, found);
  return null;
}

async function handOver(held: Held, why: string, { asked }: Found): Promise<void> {
  await held.move("handed-over", `a person has to look: ${why}`.slice(0, 500), { spent: spentOn(held, asked) });
}

/** What could not be made is open still; what a rule was not allowed to do, to the tiers that have other permission. */
function counts({ tier, outcome: { result } }: Decision): boolean {
  return result !== "suppressed" && !(tier === "reactive" && result === "refused");
}

interface Known {
  readonly tried: ReadonlySet<string>;
  readonly sure_min: number;
  readonly last: ReadonlyMap<string, number>;
}

/** Asks one after the other until something is sure. */
async function search(held: Held, { tried, sure_min, last }: Known, ports: LoopPorts): Promise<Found> {
  const try_min = ports.thresholds.acting[ports.tier].try_min;
  const asked: Asked[] = [];
  const rests_on: string[] = [];
  let ranked: readonly Ranked[] = [];
  let unasked: string | null = null;
  for (const source of ports.sources) {
    const { options, taint, unasked: why_not, ...cost } = await offered(source, held, tried, ports);
    rests_on.push(...taint);
    unasked = why_not ?? unasked;
    asked.push({ who: source.who, ...cost });
    const left = options.filter(
      (option) => !wasTried(option, tried) && !ranked.some((one) => identityOf(one.option) === identityOf(option)),
    );
    const records = await triesOf(
      left.map(({ rule }) => rule),
      ports.memory,
    );
    const fresh = left
      .map((option) => ({ option, record: recordOn(option, records), last: last.get(option.rule) ?? 0 }))
      .filter(({ option, record }) => mayHelp(option, record, try_min));
    ranked = [...ranked, ...fresh].sort(bestFirst(sure_min));
    if (ranked.some(({ record }) => record.expected >= sure_min)) break;
  }
  return { ranked, asked, taint: rests_on, unasked };
}

/** What a calibrated chance rests on are the outcomes of all rules, by how alike they are: better than the rule's own record beside it (test-vm/bench/calibration.ts). */
function recordOn({ rule, confidence, calibrated }: Option, records: Parameters<typeof recordOf>[0]): TrackRecord {
  const record = recordOf(records, rule, confidence);
  return calibrated === true ? { ...record, expected: confidence } : record;
}

/** An opinion can put last what was meant for the alarm; only its own record rules it out, and that also where the opinion is calibrated. */
function mayHelp({ meant_for_it, calibrated }: Option, record: TrackRecord, try_min: number): boolean {
  if (calibrated === true && hope(record) < try_min) return false;
  return record.expected >= try_min || (meant_for_it === true && hope(record) >= try_min);
}

/** The chance of what nobody has an opinion about: by its record alone. */
function hope({ worked, tries }: TrackRecord): number {
  return recordOf([{ rule: "", worked, failed: tries - worked }], "").expected;
}

function bestFirst(sure_min: number): (a: Ranked, b: Ranked) => number {
  const isSure = ({ record }: Ranked): number => (record.expected >= sure_min ? 1 : 0);
  return (a, b) => isSure(b) - isSure(a) || b.last - a.last || b.record.expected - a.record.expected || a.option.rank - b.option.rank;
}

async function offered(source: OptionSource, held: Held, tried: ReadonlySet<string>, { standing }: LoopPorts) {
  const began_ms = performance.now();
  const event = standing.get(held.item.body.key);
  const offer = event === null ? null : await source.offer({ incident: held.item, event, tried });
  return {
    options: offer?.options ?? [],
    said: (offer?.said ?? "the alarm was cleared meanwhile").slice(0, 500),
    took_ms: Math.round(performance.now() - began_ms),
    tokens: offer?.tokens ?? 0,
    usd: offer?.usd ?? 0,
    taint: offer?.taint ?? [],
    unasked: offer?.unasked,
  };
}

function spentOn({ item }: Held, asked: readonly Asked[]) {
  const { calls, tokens, model_ms } = item.body.spent;
  const by_models = asked.filter((one) => one.tokens > 0);
  return {
    calls,
    tokens: tokens + by_models.reduce((sum, one) => sum + one.tokens, 0),
    model_ms: model_ms + by_models.reduce((sum, one) => sum + one.took_ms, 0),
  };
}

function nothingLeft(tried: readonly string[], asked: readonly Asked[]): string {
  const said = asked.map((one) => `${one.who}: ${one.said}`).join("; ");
  const what = tried.length > 0 ? `what is known did not help: ${tried.join(", ")}` : "nothing is known against it";
  return said === "" ? what : `${what} (${said})`;
}

/** @returns whether another tier goes on: the one above once, and it gives back to the one below when it is at its end */
async function passedOn(held: Held, why: string, { asked, unasked }: Found, ports: LoopPorts): Promise<boolean> {
  const { escalations } = held.item.body;
  const to = ports.tier === "strategic" ? "tactical" : escalations === 0 ? await ports.above() : null;
  if (to === null) return false;
  const up = to === "strategic" ? 1 : 0;
  const nobody = unasked === null ? {} : { unasked: unasked.slice(0, unasked_chars_max) };
  await held.edit({ tier: to, escalations: escalations + up, spent: spentOn(held, asked), ...nobody }, `passed to ${to}: ${why}`);
  return true;
}

/** The alarm of the same service, at least as grave, that has come in its place: what does not run may not even start, for example. */
function heirOf({ item: { body, created_ms } }: Held, standing: LoopPorts["standing"]): AlarmEvent | null {
  const isHeir = (event: AlarmEvent): boolean =>
    isOfService(event) &&
    event.facts.subject === body.service &&
    matterOf(event) !== body.key &&
    event.time_ms >= created_ms &&
    gravity(event.severity) >= gravity(body.severity);
  return standing.all().find(isHeir) ?? null;
}

/** The alarm does not stand any more, and no try is under way. */
async function cleared(held: Held, ports: LoopPorts): Promise<void> {
  const { key, decisions, health_before } = held.item.body;
  const heir = heirOf(held, ports.standing);
  if (heir !== null) {
    await held.move("parked", `it goes on as "${matterOf(heir)}", which is an incident of its own`);
    return;
  }
  const measure = () => measureHealth(ports.ask, ports.standing, key);
  const worse = health_before === null ? null : await lastinglyWorse(health_before, measure, ports);
  if (worse !== null) await held.move("handed-over", `a person has to look: the alarm is cleared, but ${worse}`);
  else await held.move("watching", decisions.length === 0 ? "the alarm was cleared before anything was done" : "the alarm was cleared");
}
