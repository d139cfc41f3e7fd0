/** What was learned, for people. */

import type { AlarmLearned, LearnedAnswer, Override, PlaybookLearned, Solved } from "../../../contracts/learning.ts";
import type { ClassifierState } from "../../../contracts/memory/classifier.ts";
import { plain } from "../text/plain.ts";
import { table } from "../text/table.ts";
import { span } from "../text/units.ts";
import type { View } from "./view.ts";

const cell = (value: string | number) => ({ text: plain(String(value)) });
const at = (ms: number): string => new Date(ms).toISOString().slice(0, 19);
const chance = (value: number): string => value.toFixed(2);
const right = (title: string) => ({ title, right: true });

export function learnView({ alarms, playbooks, overrides, classifier, faults }: LearnedAnswer, view: View): string[] {
  return [
    ...[...alarmLines(alarms, view), "", ...playbookLines(playbooks, view), ...changeLines(playbooks, view)],
    ...[...overrideLines(overrides, view), "", ...classifierLines(classifier, view), ...faultLines(faults, view)],
  ];
}

/** What was trained, how it did on cases that were held back, and which is asked. */
export function classifierLines({ in_use, versions, changes }: ClassifierState, view: View): string[] {
  if (versions.length === 0) return ["no classifier of triage was trained yet"];
  const rows = versions.map(({ version, report: { made_ms, trained_on, held_back, before, after, gain_low } }) =>
    [
      ...[version === in_use ? `${version}, in use` : version, at(made_ms), trained_on, held_back],
      ...[`${before.right} to ${after.right}`, `${before.brier.toFixed(3)} to ${after.brier.toFixed(3)}`, gain_low.toFixed(3)],
    ].map(cell),
  );
  const counts = [right("TRAINED ON"), right("HELD BACK"), right("RIGHT"), right("BRIER"), right("GAIN (95 %)")];
  const lines = changes
    .toReversed()
    .map(({ time_ms, version, why }) => `${view.paint("grey", at(time_ms))} classifier ${version ?? "none"}: ${plain(why)}`);
  return [...table([{ title: "CLASSIFIER" }, { title: "MADE" }, ...counts], rows, view), ...lines];
}

/** The first time beside the last: what the same trouble cost then and costs now. */
function alarmLines(alarms: readonly AlarmLearned[], view: View): string[] {
  if (alarms.length === 0) return ["nothing was done about an alarm yet"];
  const rows = alarms.flatMap(({ alarm, seen, solved, first, last }) => {
    const once = first === null || last === null || first.decision === last.decision;
    const of = (name: string, which: string, one: Solved | null) => [name, seen, solved, which, ...solvedCells(one)].map(cell);
    if (once) return [of(alarm, first === null ? "never" : "once", first)];
    return [of(alarm, "first", first), ["", "", "", "last", ...solvedCells(last)].map(cell)];
  });
  const columns = [{ title: "ALARM" }, right("SEEN"), right("SOLVED"), { title: "TIME" }, { title: "TIER" }];
  return table([...columns, right("TO REPAIR"), right("DECIDING"), right("TOKENS"), right("USD"), { title: "BY" }], rows, view);
}

function solvedCells(one: Solved | null): (string | number)[] {
  if (one === null) return ["", "", "", "", "", "nothing helped yet"];
  const { tier, repair_ms, asked_ms, tokens, usd, rule, tries } = one;
  return [tier, span(repair_ms), span(asked_ms), tokens, usd.toFixed(4), tries > 1 ? `${rule}, at the ${tries}. try` : rule];
}

function playbookLines(playbooks: readonly PlaybookLearned[], view: View): string[] {
  if (playbooks.length === 0) return ["no playbook was tried yet"];
  const rows = playbooks.map(({ name, stage, worked, failed, worked_since_failure, low, high, last_tier, learned_by }) =>
    [
      ...[name, stage, worked, failed, worked_since_failure, `${chance(low)} to ${chance(high)}`, last_tier ?? ""],
      learned_by === null ? "image or person" : learned_by,
    ].map(cell),
  );
  const counts = [right("HELPED"), right("FAILED"), right("IN A ROW")];
  return table(
    [{ title: "PLAYBOOK" }, { title: "STAGE" }, ...counts, { title: "CHANCE (95 %)" }, { title: "LAST BY" }, { title: "FROM" }],
    rows,
    view,
  );
}

function changeLines(playbooks: readonly PlaybookLearned[], { paint }: View): string[] {
  const changes = playbooks.flatMap(({ name, history }) => history.map((change) => ({ name, ...change })));
  if (changes.length === 0) return [];
  const lines = changes
    .toSorted((a, b) => a.time_ms - b.time_ms)
    .map(({ name, time_ms, from, to, why }) => `${paint("grey", at(time_ms))} ${plain(name)} ${from} -> ${to}: ${plain(why)}`);
  return ["", ...lines];
}

/** What people did not want, oldest first as the changes of stages are. */
function overrideLines(overrides: readonly Override[], { paint }: View): string[] {
  if (overrides.length === 0) return [];
  const lines = overrides.toReversed().map(({ time_ms, how, by, why, tool, rule, alarm, subject, decision }) => {
    const what = `${by} ${how === "undone" ? "took back" : "declined"} ${tool} of ${rule}, against ${alarm} of ${subject}: ${why}`;
    return `${paint("grey", at(time_ms))} ${plain(what)}  ${paint("grey", decision)}`;
  });
  return ["", ...lines];
}

function faultLines(faults: readonly string[], { paint }: View): string[] {
  return faults.length === 0 ? [] : ["", ...faults.map((fault) => paint("yellow", `does not count: ${plain(fault)}`))];
}

/** One of them; its document says the rest. */
export function playbookView(one: PlaybookLearned, view: View): string[] {
  const { name, stage, document, learned_from, learned_by, tainted_subject, overridden, refused } = one;
  return [
    `${view.paint("bold", plain(name))}  ${stage}`,
    ...(learned_from === null ? [] : [`  learned from ${plain(learned_from)}, a decision of the ${learned_by ?? "unknown"} tier`]),
    ...(tainted_subject ? [`  ${view.paint("yellow", "its subjects are named by text from outside")}: it never becomes a rule`] : []),
    ...(document === null ? [] : [`  document ${plain(document)}`]),
    ...(overridden === 0 ? [] : [`  people took back ${overridden} of its tries`]),
    ...(refused === 0 ? [] : [`  not allowed ${refused} times`]),
    ...playbookLines([one], view),
    ...changeLines([one], view),
  ];
}
