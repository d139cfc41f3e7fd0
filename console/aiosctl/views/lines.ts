/** One line for one log record, event or decision. */

import type { Asked, Decision, Why } from "../../../contracts/decision.ts";
import type { Event, LogRecord } from "../../../contracts/event.ts";
import { cut, pad, plain } from "../text/plain.ts";
import { clock } from "../text/units.ts";
import { outcome_colours, severity_colours } from "./colours.ts";
import type { View } from "./view.ts";
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

/** `aiosctl why ID`: what happened, what was decided, what came of it, and what else happened then. */
export function whyView(why: Why, view: View): string[] {
  const { paint } = view;
  const lines = [
    paint("bold", "What happened"),
    why.event === null ? "  the event is not known any more" : `  ${eventLine(why.event, view)}`,
    "",
  ];
  lines.push(paint("bold", "What was decided"));
  if (why.decisions.length === 0) lines.push("  nothing: no rule took it up");
  for (const decision of why.decisions) lines.push(...decisionLines(decision, view));
  const around = why.around.filter((event) => event.id !== why.event?.id);
  if (around.length > 0) lines.push("", paint("bold", "Around it"), ...around.map((event) => `  ${eventLine(event, view)}`));
  return lines;
}

function decisionLines(decision: Decision, { paint }: View): string[] {
  const { outcome } = decision;
  const after = outcome.after_ms === null ? "" : ` after ${Math.round(outcome.after_ms)} ms`;
  return [
    `  ${paint("bold", decision.tier)} by rule ${paint("cyan", plain(decision.rule))}, in ${Math.round(decision.took_us)} µs`,
    `    because  ${plain(decision.reason)}`,
    ...(decision.based_on.length === 0 ? [] : [`    based on ${decision.based_on.map(plain).join(", ")}`]),
    ...(decision.asked ?? []).map(
      (one) => `    asked    ${paint("bold", plain(one.who))}: ${plain(one.said)} ${paint("dim", askedCost(one))}`,
    ),
    ...((decision.alternatives ?? []).length === 0 ? [] : [`    instead  ${(decision.alternatives ?? []).map(chance).join(", ")}`]),
    ...(decision.confidence === undefined ? [] : [`    expected ${decision.confidence.toFixed(2)} that it helps`]),
    `    did      ${actionWords(decision.action)}`,
    `    outcome  ${paint(outcome_colours[outcome.result], outcome.result)}${after}${outcome.detail === "" ? "" : `: ${plain(outcome.detail)}`}`,
    `    id       ${paint("grey", decision.id)}`,
  ];
}

function askedCost({ took_ms, tokens, usd }: Asked): string {
  const money = usd === 0 ? "" : `, $${usd.toFixed(4)}`;
  return `(${Math.round(took_ms)} ms${tokens === 0 ? "" : `, ${tokens} tokens${money}`})`;
}

function chance({ what, confidence }: NonNullable<Decision["alternatives"]>[number]): string {
  return `${plain(what)} (${confidence.toFixed(2)})`;
}

function fitted(text: string, width: number | undefined, used: number): string {
  return width === undefined || width - used < 20 ? text : cut(text, width - used);
}
