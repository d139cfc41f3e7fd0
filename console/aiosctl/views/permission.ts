/** Approvals, grants, agents and policies. */

import type { Agent, Approval, Grant, Opinion, PolicyInfo } from "../../../contracts/permission.ts";
import { plain } from "../text/plain.ts";
import type { Colour } from "../text/style.ts";
import { pairs, table } from "../text/table.ts";
import { span } from "../text/units.ts";
import { risk_colours } from "./tools.ts";
import type { View } from "./view.ts";

const approval_colours: Readonly<Record<Approval["state"], Colour>> = {
  waiting: "cyan",
  approved: "green",
  declined: "magenta",
  expired: "grey",
  withdrawn: "grey",
};

export function approvalsView(approvals: readonly Approval[], now_ms: number, view: View): string[] {
  if (approvals.length === 0) return ["nothing waits for a person"];
  return approvals.flatMap((approval, at) => [...(at === 0 ? [] : [""]), ...approvalView(approval, now_ms, view)]);
}

/** In full: whoever decides has to see what will change and what cannot be taken back. */
function approvalView(approval: Approval, now_ms: number, { paint }: View): string[] {
  const { call, tool, risk, principal, reason, state } = approval;
  const left = approval.deadline_ms - now_ms;
  const until = state !== "waiting" ? decided(approval) : left > 0 ? `no in ${span(left)} unless somebody decides` : "its time is over";
  return [
    `${paint(approval_colours[state], `● ${state}`)}  ${paint("bold", tool)}  ${paint(risk_colours[risk], risk)}  ${paint("grey", call)}`,
    ...pairs(
      [
        ["by", { text: principal }],
        ["because", { text: plain(reason.text) }],
        ["arguments", { text: plain(JSON.stringify(approval.arguments)) }],
        ["touches", { text: approval.resources.map(({ access, kind, id }) => `${access} ${kind} ${plain(id)}`).join(", ") || "nothing" }],
        ["until", { text: until }],
      ],
      paint,
    ),
    ...approval.tainted.map((pointer) => `${paint("yellow", "from outside")} ${plain(pointer === "" ? "everything" : pointer)}`),
    ...(approval.preview.length === 0 ? ["nothing"] : approval.preview).map((line) => `${paint("cyan", "  will change")} ${plain(line)}`),
    ...approval.final.map((line) => `${paint("red", "  for good   ")} ${plain(line)}`),
    ...(approval.review === null ? [] : [reviewLine(approval.review, paint)]),
  ];
}

const verdict_colours = { approve: "green", reject: "red", unsure: "yellow", none: "grey" } as const;

/** A second opinion: what the strategic tier thinks, which decides nothing. */
function reviewLine({ verdict, reason, model, heard_outside }: Opinion, paint: View["paint"]): string {
  if (verdict === "none") return `${paint("grey", "no second opinion")} ${plain(reason)}`;
  const by = `${plain(model ?? "a model")}${heard_outside ? ", which has read text from outside" : ""}`;
  return `${paint(verdict_colours[verdict], `it would ${verdict === "unsure" ? "not say" : verdict}`)} ${plain(reason)} ${paint("grey", `(${by})`)}`;
}

function decided({ decided_by, decided_why }: Approval): string {
  return `${decided_by ?? "nobody"}${decided_why === null ? "" : `: ${plain(decided_why)}`}`;
}

export function grantsView(
  { grants, agents }: { grants: readonly Grant[]; agents: readonly Agent[] },
  now_ms: number,
  { paint, width }: View,
): string[] {
  const columns = [
    { title: "GRANT" },
    { title: "TO" },
    { title: "STATE" },
    { title: "ENDS" },
    { title: "CALLS", right: true },
    { title: "TOOLS" },
    { title: "ON" },
    { title: "BECAUSE" },
  ];
  const rows = grants.map(({ id, principal, scope, state, expires_ms, calls_used, reason }) => [
    { text: id, colour: "bold" as const },
    { text: principal },
    { text: state, colour: state === "active" ? ("green" as const) : ("grey" as const) },
    { text: ends(expires_ms, now_ms) },
    { text: scope.calls_max === null ? "any" : `${calls_used}/${scope.calls_max}` }, // those without a number are not counted
    { text: `${scope.tools.join(" ")} (${scope.risk})` },
    { text: plain(scope.resources.map(({ kind, id: name }) => `${kind}:${name}`).join(" ")) },
    { text: plain(reason) },
  ]);
  const lines = grants.length === 0 ? ["no grants"] : table(columns, rows, { paint, width });
  return agents.length === 0 ? lines : [...lines, "", ...agentsTable(agents, now_ms, { paint, width })];
}

function agentsTable(agents: readonly Agent[], now_ms: number, { paint, width }: View): string[] {
  const columns = [{ title: "AGENT" }, { title: "OF" }, { title: "ENDS" }, { title: "TASK" }];
  const rows = agents.map(({ name, owner, task, expires_ms, ended_ms }) => [
    { text: name, colour: "bold" as const },
    { text: owner },
    { text: ended_ms === null ? ends(expires_ms, now_ms) : "ended" },
    { text: plain(task) },
  ]);
  return table(columns, rows, { paint, width });
}

function ends(expires_ms: number, now_ms: number): string {
  return expires_ms > now_ms ? `in ${span(expires_ms - now_ms)}` : "over";
}

export function policiesView(policies: readonly PolicyInfo[], { paint }: View): string[] {
  if (policies.length === 0) return ["no policies: everything is refused"];
  return policies.flatMap(({ name, effect, reason, source, text }, at) => [
    ...(at === 0 ? [] : [""]),
    `${paint(effect === "permit" ? "green" : "magenta", effect)}  ${paint("bold", plain(name))}  ${plain(reason)}${source === "grant" ? "  (of a grant)" : ""}`,
    ...text.split("\n").map((line) => `  ${paint("dim", plain(line))}`),
  ]);
}
