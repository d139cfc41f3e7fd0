/** The audit: one line an entry, everything of one call, and whether the chain is whole. */

import type { z } from "zod";
import type { AuditEntry, AuditVerdict } from "../../../contracts/audit.ts";
import type { CallRecord } from "../../../contracts/broker.ts";
import { cut, pad, plain } from "../text/plain.ts";
import { pairs } from "../text/table.ts";
import { span } from "../text/units.ts";
import { outcomeLine, status_colours } from "./calls.ts";
import type { View } from "./view.ts";

export function auditLine(entry: AuditEntry, { paint, width }: View): string {
  const what = entry.status ?? entry.kind;
  const things = entry.resources
    .filter(({ access }) => access !== "read" || entry.kind === "outcome" || entry.kind === "repeats")
    .map(({ id }) => id);
  const head = `${stamp(entry.time_ms)} ${pad(what, 10)} ${pad(entry.principal, 18)} `;
  const said = plain(
    [entry.tool ?? saidOf(entry), againOf(entry), ...things.slice(0, 2), entry.reason === null ? "" : `“${entry.reason.text}”`]
      .filter(Boolean)
      .join("  "),
  );
  const tail = entry.call ?? `#${entry.seq}`;
  const room = width === undefined ? Number.POSITIVE_INFINITY : width - head.length - tail.length - 2;
  const words = room < 20 || room === Number.POSITIVE_INFINITY ? said : cut(said, room);
  const status = paint(entry.status === null ? "dim" : status_colours[entry.status], pad(what, 10));
  return `${paint("dim", stamp(entry.time_ms))} ${status} ${paint("bold", pad(entry.principal, 18))} ${words}  ${paint("grey", tail)}`;
}

/** Everything of one call: why, what, and how it went on. */
export function recordView({ outcome, entries, approval }: z.infer<typeof CallRecord>, view: View): string[] {
  const { paint } = view;
  const first = entries[0];
  const lines = outcome === null ? [paint("cyan", "● not over yet")] : [outcomeLine(outcome, view)];
  if (first !== undefined) lines.push("", ...pairs(headRows(first), paint));
  const resources = first?.resources ?? [];
  if (resources.length > 0)
    lines.push("", paint("bold", "Touches"), ...resources.map(({ access, kind, id }) => `  ${access} ${kind} ${plain(id)}`));
  if (approval !== null)
    lines.push(
      "",
      paint("bold", "Approval"),
      `  ${approval.state}${approval.decided_by === null ? "" : ` by ${approval.decided_by}: ${plain(approval.decided_why ?? "")}`}`,
    );
  for (const entry of entries) {
    lines.push("", `${paint("bold", entry.kind)}  ${paint("dim", stamp(entry.time_ms))}  ${paint("grey", `#${entry.seq}`)}`);
    lines.push(...JSON.stringify(entry.body, null, 2).split("\n").slice(1, -1).map(plain));
  }
  return lines;
}

function headRows({ principal, tool, group, event, reason }: AuditEntry) {
  const rows: [string, { text: string }][] = [
    ["tool", { text: tool ?? "–" }],
    ["by", { text: principal }],
  ];
  if (reason !== null) {
    rows.push(["because", { text: plain(reason.text) }]);
    if (reason.alternatives.length > 0) rows.push(["instead of", { text: plain(reason.alternatives.join("; ")) }]);
    if (reason.confidence !== null) rows.push(["confidence", { text: String(reason.confidence) }]);
    if (reason.model !== null) rows.push(["model", { text: plain(reason.model) }]);
    if (reason.decision !== null) rows.push(["decision", { text: reason.decision }]);
    if (reason.cost_usd > 0) rows.push(["cost", { text: `${reason.cost_usd} USD` }]);
  }
  if (event !== null) rows.push(["event", { text: event }]);
  if (group !== null) rows.push(["group", { text: plain(group) }]);
  return rows;
}

export function verdictView({ whole, entries, head, faults, took_ms }: AuditVerdict, { paint }: View): string[] {
  const read = `${entries} entries read in ${span(took_ms)}; head ${head}`;
  if (whole) return [`${paint("green", "● whole")}  ${read}`];
  return [`${paint("red", "● not whole")}  ${read}`, ...faults.map(({ seq, what }) => `  ${paint("grey", `#${seq}`)}  ${plain(what)}`)];
}

function saidOf({ body, kind }: AuditEntry): string {
  const said = body["audit_lost"] ?? body["audit_outage"] ?? body["why"] ?? "";
  return typeof said === "string" && said !== "" ? said : kind;
}

/** `118 times until 2026-02-03 04:05:06`, of looks that are counted. */
function againOf({ kind, body }: AuditEntry): string {
  const { times, until_ms } = body;
  return kind === "repeats" && typeof times === "number" && typeof until_ms === "number" ? `${times} times until ${stamp(until_ms)}` : "";
}

function stamp(time_ms: number): string {
  const date = new Date(time_ms);
  return Number.isNaN(date.getTime()) ? "----------- --:--:--" : date.toISOString().slice(0, 19).replace("T", " ");
}
