/** What is printed: a line a trial, a table of all, and the sums. */

import type { Named } from "./fault.ts";
import { isRight, phasesOf, type Result } from "./result.ts";

const seconds = (ms: number | null | undefined): string => (ms === null || ms === undefined ? "–" : `${(ms / 1000).toFixed(1)} s`);

function endOf({ trouble, repaired, stable, by_person, kind, decisions, incidents }: Result): string {
  if (trouble !== null) return "not tried";
  if (kind === "control") return decisions + incidents.length === 0 ? "left alone" : "acted";
  if (repaired) return stable ? "repaired" : "came back";
  return by_person ? "to a person" : "not repaired";
}

export function line(result: Result): string {
  const { name, kind, arm, time, detected, detected_ms, repaired_ms } = result;
  const noticed = kind === "control" ? "" : detected === null ? "?" : detected ? seconds(detected_ms) : "no";
  const cells = [
    name.padEnd(32),
    arm === "ours" ? "aiOS" : "conv",
    String(time),
    noticed.padStart(7),
    endOf(result).padEnd(12),
    seconds(repaired_ms).padStart(8),
  ];
  const how = [
    result.tier ?? "",
    result.rule ?? "",
    `${result.decisions} decisions, ${result.calls} calls, ${costOf(result).replace(/^\d+/, "$& tokens")}`,
  ];
  const acted = kind === "control" && result.decisions + result.incidents.length > 0 ? result.alarms : [];
  const wrong = [...result.collateral, ...acted, ...(result.trouble === null ? [] : [result.trouble])]
    .map((one) => `\n      ${one.slice(0, 400)}`)
    .join("");
  return `${cells.join("  ")}  ${arm === "ours" ? how.filter(Boolean).join(" · ") : ""}${wrong}`;
}

interface Row {
  readonly name: string;
  readonly family: string;
  readonly first: Result | undefined;
  readonly second: Result | undefined;
  readonly other: Result | undefined;
}

function rowsOf(own: readonly Result[], other: readonly Result[]): Row[] {
  const all = (own.length > 0 ? own : other).filter(({ kind }) => kind === "fault");
  return [...new Set(all.map(({ name }) => name))].map((name) => ({
    name,
    family: all.find((one) => one.name === name)?.family ?? "",
    first: own.find((one) => one.name === name && one.time === 1),
    second: own.find((one) => one.name === name && one.time === 2),
    other: other.find((one) => one.name === name),
  }));
}

/** @param all by set: each but the conventional ones is a table, which has what those did beside it */
export function markdown(all: ReadonlyMap<string, readonly Result[]>): string {
  const other = [...all].flatMap(([name, results]) => (name.startsWith("conventional") ? results : []));
  const names = [...all.keys()].filter((name) => !name.startsWith("conventional"));
  const made = names.length === 0 ? [tableOf("conventional", [], other)] : names.map((name) => tableOf(name, all.get(name) ?? [], other));
  return `${[...made, legend].join("\n\n")}\n`;
}

function tableOf(title: string, own: readonly Result[], other: readonly Result[]): string {
  const once = ["noticed", "decided", "acted", "repaired", "calls", "cost", "by"];
  const heads = ["family", "fault", ...once, "2nd: noticed", ...once.slice(1), "collateral", "learned", "conventional"];
  const rows = rowsOf(own, other).map(({ name, family, first, second, other: theirs }) => {
    const last = second?.learned ?? first?.learned;
    const learned = last == null ? "" : `${last.first} → ${last.last}`;
    const [by, again] = [byOf(first), byOf(second)];
    const times = [...cellsOf(first), by, ...cellsOf(second), again === by && by !== "" ? "same" : again];
    return [family, name, ...times, `${besides(first)} / ${besides(second)}`, learned, conventional(theirs)];
  });
  const text = [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return `${title}\n\n${text}`;
}

const legend =
  "cost: tokens of models, and US dollars where it was any; collateral: how much else was different afterwards, first / second time";

/** Seconds after the one before: until it was noticed, decided, and its effect gone; then the sum; calls of tools; tokens and money. */
function cellsOf(result: Result | undefined): string[] {
  if (result === undefined) return Array.from({ length: 6 }, () => "–");
  const phases = phasesOf(result);
  return [
    result.detected === false ? "no" : seconds(phases?.noticing ?? result.detected_ms),
    seconds(phases?.deciding),
    seconds(phases?.acting),
    result.repaired && result.stable ? seconds(result.repaired_ms) : endOf(result),
    String(result.calls),
    costOf(result),
  ];
}

function costOf({ tokens, usd }: Pick<Result, "tokens" | "usd">): string {
  return usd === 0 ? String(tokens) : `${tokens} $${usd.toFixed(4)}`;
}

function byOf(result: Result | undefined): string {
  if (result === undefined) return "–";
  return result.tier === null ? "" : `${result.tier}: ${(result.rule ?? "").replace(/^playbook /, "")}`;
}

/** How much else was different afterwards; what it was stands at the trial's own line. It is looked for where the fault was repaired. */
function besides(result: Result | undefined): string {
  return result === undefined || result.trouble !== null || !result.repaired ? "–" : String(result.collateral.length);
}

function conventional(result: Result | undefined): string {
  if (result === undefined || result.trouble !== null) return "–";
  if (!result.repaired) return "no";
  return `${seconds(result.repaired_ms)}${result.collateral.length === 0 ? "" : `, collateral ${result.collateral.length}`}`;
}

const share = (part: number, all: number): string => (all === 0 ? "none" : `${part} of ${all} (${Math.round((100 * part) / all)} %)`);

export function sums(results: readonly Result[], faults: readonly Named[]): string[] {
  const tried = results.filter(({ kind, trouble }) => kind === "fault" && trouble === null);
  const for_people = new Set(faults.filter(({ ends }) => ends === "person").map(({ name }) => name));
  const alone = tried.filter(({ name }) => !for_people.has(name));
  const people = tried.filter(({ name }) => for_people.has(name));
  const repaired = alone.filter(({ repaired: is, stable }) => is && stable);
  const controls = results.filter(({ kind, trouble }) => kind === "control" && trouble === null);
  const low = repaired.filter(({ tier }) => tier !== "strategic");
  const said = [
    `repaired without people, and stable     ${share(repaired.length, alone.length)}`,
    `with collateral                         ${share(tried.filter((one) => one.collateral.length > 0).length, tried.length)}`,
    `not tried                               ${results.filter(({ trouble }) => trouble !== null).length}`,
  ];
  if (results.every(({ arm }) => arm === "conventional")) return said;
  return [
    `detected                                ${share(tried.filter(({ detected }) => detected === true).length, tried.length)}`,
    ...said,
    `handed over, where policy wants that    ${share(people.filter(({ by_person }) => by_person).length, people.length)}`,
    `below strategic, of those repaired      ${share(low.length, repaired.length)}`,
    `controls left alone                     ${share(controls.filter((one) => isRight(one, false)).length, controls.length)}`,
    ...second(repaired),
  ];
}

interface Pair {
  readonly one: Result;
  readonly two: Result;
}

/**
 * The second time against the first, of faults that were repaired both times. What a playbook of the image solved the first time
 * asked nobody: there is no tenth of that to be had. Its noticing, a sensor's, costs the same each time.
 */
function second(repaired: readonly Result[]): string[] {
  const names = [...new Set(repaired.map(({ name }) => name))];
  const pairs = names.flatMap((name): Pair[] => {
    const [one, two] = [1, 2].map((time) => repaired.find((result) => result.name === name && result.time === time));
    return one === undefined || two === undefined ? [] : [{ one, two }];
  });
  const thought = pairs.filter(({ one }) => one.tier === "strategic" || (one.rule ?? "").startsWith("model "));
  const known = pairs.filter((pair) => !thought.includes(pair));
  return [against("first solved by a model", thought), against("first solved by a playbook or a rule", known)];
}

function against(what: string, pairs: readonly Pair[]): string {
  const label = `${what}, `.padEnd(40);
  if (pairs.length === 0) return `${label}none twice`;
  const both = (read: (result: Result) => number): readonly [number, number] => [
    pairs.reduce((all, { one }) => all + read(one), 0),
    pairs.reduce((all, { two }) => all + read(two), 0),
  ];
  const ratio = ([before, after]: readonly [number, number]): string => (before === 0 ? "" : ` (${((100 * after) / before).toFixed(0)} %)`);
  const time = (name: "noticing" | "deciding" | "acting"): string => {
    const found = both((result) => phasesOf(result)?.[name] ?? 0);
    return `${name} ${seconds(found[0])}, then ${seconds(found[1])}${ratio(found)}`;
  };
  const count = (name: "calls" | "tokens"): string => {
    const found = both((result) => result[name]);
    return `${name} ${found[0]}, then ${found[1]}${ratio(found)}`;
  };
  const usd = both((result) => result.usd);
  const money = usd[0] + usd[1] === 0 ? [] : [`$${usd[0].toFixed(4)}, then $${usd[1].toFixed(4)}${ratio(usd)}`];
  const parts = [time("noticing"), time("deciding"), time("acting"), count("calls"), count("tokens"), ...money];
  return `${label}${pairs.length} faults: ${parts.join("; ")}`;
}
