/** One line for one log record, event or decision. */

import type { Asked, Decision } from "../../../contracts/decision.ts";
import type { Event, LogRecord } from "../../../contracts/event.ts";
import type { Why, WhyIncident, WhyMemory } from "../../../contracts/why.ts";
import { cut, pad, plain } from "../text/plain.ts";
import { clock, span } from "../text/units.ts";
import { outcome_colours, severity_colours } from "./colours.ts";
import type { View } from "./view.ts";
import { whyGoalLines } from "./why-goal.ts";
import { actionWords, eventWords } from "./words.ts";

export function logLine(record: LogRecord, { paint }: View): string {
  const fields =
    record.fields === undefined || Object.keys(record.fields).length === 0 ? "" : ` ${paint("dim", plain(JSON.stringify(record.fields)))}`;
  const colour = severity_colours[record.level];
  const message = plain(record.message);
  return `${paint("dim", clock(record.time_ms))} ${paint("bold", pad(record.service, 11))} ${record.level === "info" ? message : paint(colour, message)}${fields}`;
}

export function eventLine(event: Event, { paint, width }: View): string {
  const colour = severity_colours[event.severity];
  const head = `${clock(event.time_ms)} ${pad(event.severity, 8)} `;
  const words = fitted(eventWords(event), width, head.length + event.id.length + 2);
  return `${paint("dim", clock(event.time_ms))} ${paint(colour, pad(event.severity, 8))} ${words}  ${paint("grey", event.id)}`;
}

export function decisionLine(decision: Decision, { paint, width }: View): string {
  const { outcome } = decision;
  const head = `${clock(decision.time_ms)} ${pad(decision.tier, 11)} ${pad(outcome.result, 10)} `;
  const said = plain(`${actionWords(decision.action)}: ${decision.reason}${outcome.detail === "" ? "" : ` → ${outcome.detail}`}`);
  const words = fitted(said, width, head.length + decision.id.length + 2);
  const result = paint(outcome_colours[outcome.result], pad(outcome.result, 10));
  return `${paint("dim", clock(decision.time_ms))} ${paint("bold", pad(decision.tier, 11))} ${result} ${words}  ${paint("grey", decision.id)}`;
}

/** `aiosctl why ID`: what happened, what became of it, what was known, what was decided, what was learned, and what else happened then. */
export function whyView(why: Why, view: View): string[] {
  const { paint } = view;
  const lines =
    why.goal === null
      ? [paint("bold", "What happened"), why.event === null ? "  the event is not known any more" : `  ${eventLine(why.event, view)}`, ""]
      : [paint("bold", "What is wanted"), ...whyGoalLines(why.goal, view), ""];
  if (why.incidents.length > 0) lines.push(paint("bold", why.goal === null ? "What became of it" : "What went wrong with its services"));
  for (const incident of why.incidents) lines.push(...incidentLines(incident, view), "");
  if (why.memories.length > 0)
    lines.push(paint("bold", "What was known"), ...why.memories.map((memory) => `  ${memoryLine(memory, view)}`), "");
  lines.push(paint("bold", "What was decided"));
  if (why.decisions.length === 0) lines.push(`  ${nothingDecided(why)}`);
  for (const decision of why.decisions) lines.push(...decisionLines(decision, view));
  const around = why.around.filter((event) => event.id !== why.event?.id);
  if (around.length > 0) lines.push("", paint("bold", "Around it"), ...around.map((event) => `  ${eventLine(event, view)}`));
  return lines;
}

function nothingDecided({ goal, event, incidents, around }: Why): string {
  if (incidents.length > 0) return "nothing was done";
  if (goal !== null) return "nothing: no incident was about its services";
  return event !== null && isStartedAnew(event, around)
    ? "nothing by a tier: PID 1 starts anew what ends, by itself"
    : "nothing: no rule took it up";
}

/** As it is when the reactive tier ends itself: nobody is there to decide. */
function isStartedAnew(event: Event, around: readonly Event[]): boolean {
  if (event.kind !== "service.exited") return false;
  return around.some(
    ({ kind, facts, boot_ms }) =>
      kind === "service.state" && facts.service === event.facts.service && facts.to === "starting" && boot_ms >= event.boot_ms,
  );
}

function incidentLines({ id, summary, severity, state, steps, calls, spent, lesson }: WhyIncident, view: View): string[] {
  const { paint } = view;
  const cost = [
    spent.calls === 1 ? "1 call" : `${spent.calls} calls`,
    ...(spent.tokens === 0 ? [] : [`${spent.tokens} tokens in ${span(spent.model_ms)}`]),
  ].join(", ");
  return [
    `  ${paint(severity_colours[severity], "●")} ${paint("bold", state)}  ${plain(summary)}  ${paint("grey", id)}`,
    ...steps.map(
      ({ time_ms, who, to, why }) =>
        `    ${paint("dim", clock(time_ms))} ${pad(plain(to), 12)} ${paint("dim", `${plain(who)}:`)} ${plain(why)}`,
    ),
    `    spent    ${cost}`,
    ...(calls.length === 0 ? [] : [`    called   ${calls.map((call) => paint("grey", call)).join(", ")}`]),
    ...(lesson === null ? [] : [`    learned  ${memoryLine(lesson, view)}`]),
  ];
}

/** What somebody outside has written stands in marks of its own. */
function memoryLine({ id, outcome, text, from_outside }: WhyMemory, { paint }: View): string {
  const words = plain(text);
  const said = from_outside ? `from outside «${words}»` : words;
  return `${said}${outcome === null ? "" : ` (${outcome})`}  ${paint("grey", id)}`;
}

/** Rules decide in microseconds, models in minutes. */
function within(us: number): string {
  return us < 1000 ? `${Math.round(us)} µs` : span(us / 1000);
}

function decisionLines(decision: Decision, { paint }: View): string[] {
  const { outcome } = decision;
  const after = outcome.after_ms === null ? "" : ` after ${span(outcome.after_ms)}`;
  return [
    `  ${paint("bold", decision.tier)} by rule ${paint("cyan", plain(decision.rule))}, in ${within(decision.took_us)}`,
    `    because  ${plain(decision.reason)}`,
    ...(decision.based_on.length === 0 ? [] : [`    based on ${decision.based_on.map(plain).join(", ")}`]),
    ...(decision.asked ?? []).map(
      (one) => `    asked    ${paint("bold", plain(one.who))}: ${plain(one.said)} ${paint("dim", askedCost(one))}`,
    ),
    ...((decision.alternatives ?? []).length === 0 ? [] : [`    instead  ${(decision.alternatives ?? []).map(chance).join(", ")}`]),
    ...(decision.confidence === undefined ? [] : [`    expected ${decision.confidence.toFixed(2)} that it helps`]),
    `    did      ${actionWords(decision.action)}`,
    `    outcome  ${paint(outcome_colours[outcome.result], outcome.result)}${after}${outcome.detail === "" ? "" : `: ${plain(outcome.detail)}`}`,
    ...(outcome.overridden === undefined ? [] : [`    but      ${overriddenWords(outcome.overridden)}`]),
    `    id       ${paint("grey", decision.id)}`,
  ];
}

function overriddenWords({ how, by, why, time_ms, tool, call, was }: NonNullable<Decision["outcome"]["overridden"]>): string {
  const what = how === "undone" ? "took back" : "declined";
  return `${plain(by)} ${what} ${plain(tool)} (${plain(call)}) at ${new Date(time_ms).toISOString().slice(0, 19)}, it was ${was}: ${plain(why)}`;
}

function askedCost({ took_ms, tokens, usd }: Asked): string {
  const money = usd === 0 ? "" : `, $${usd.toFixed(4)}`;
  return `(${span(took_ms)}${tokens === 0 ? "" : `, ${tokens} tokens${money}`})`;
}

function chance({ what, confidence }: NonNullable<Decision["alternatives"]>[number]): string {
  return `${plain(what)} (${confidence.toFixed(2)})`;
}

function fitted(text: string, width: number | undefined, used: number): string {
  return width === undefined || width - used < 20 ? text : cut(text, width - used);
}
