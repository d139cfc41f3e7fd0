/** The last hour, templates of logs and incidents, for people. */

import type { IncidentsAnswer, RecentAnswer, TemplatesAnswer } from "../../../contracts/memory/now.ts";
import type { TemplateSummary } from "../../../contracts/memory/templates.ts";
import type { WorkItem } from "../../../contracts/memory/working/items.ts";
import { plain } from "../text/plain.ts";
import { table } from "../text/table.ts";
import { span } from "../text/units.ts";
import type { View } from "./view.ts";

const cell = (value: string | number) => ({ text: plain(String(value)) });
const at = (ms: number): string => new Date(ms).toISOString().slice(0, 19);
const figure = (value: number): string => String(Number(value.toPrecision(4)));
const counts = (by: Readonly<Record<string, number>>): string =>
  Object.entries(by)
    .map(([name, count]) => `${plain(name)} ${count}`)
    .join(", ");

export function recentView({ summary, events, counted, measured }: RecentAnswer, view: View): string[] {
  const { paint } = view;
  const of = (by: Readonly<Record<string, number>>): string => (Object.keys(by).length === 0 ? "" : `: ${counts(by)}`);
  const { decisions, held } = summary;
  return [
    `${paint("bold", String(summary.events.count))} events in ${span(summary.events.covers_ms)}${of(summary.by_severity)}`,
    `${paint("bold", String(decisions.count))} decisions${of(summary.by_result)}`,
    ...summary.top.flatMap(({ source, keys }) => keys.map(({ key, count }) => `  ${plain(source)}: ${plain(key)} ${count}`)),
    ...(held.replaying ? [paint("yellow", "the log of the last hour is still being read: counts are too low")] : []),
    ...(counted ?? []).map(({ window, count, per_minute }) => `in ${window}: ${count}, ${figure(per_minute)} a minute`),
    ...(measured === null ? [] : [`${plain(measured.name)}: ${measured.n} samples, mean ${figure(measured.mean)}`]),
    ...(measured === null ? [] : [`  p50, p90, p99: ${measured.values.map(figure).join(", ")}`]),
    ...table(
      [{ title: "TIME" }, { title: "SEVERITY" }, { title: "KIND" }, { title: "SERVICE" }, { title: "ID" }],
      events.map(({ time_ms, severity, kind, service, id }) => [at(time_ms), severity, kind, service ?? "", id].map(cell)),
      view,
    ),
  ];
}

export function templatesView({ templates, total, unusual, one }: TemplatesAnswer, view: View): string[] {
  if (one !== null) return templateView(one, view);
  if (unusual.length > 0) {
    const rows = unusual.map(({ template, new: is_new, rate }) =>
      [template.id, is_new ? "new" : rate.verdict, rate.hour_lines, figure(rate.expected_per_minute * 60), template.shown].map(cell),
    );
    return table([{ title: "ID" }, { title: "IS" }, { title: "THIS HOUR" }, { title: "USUAL" }, { title: "TEMPLATE" }], rows, view);
  }
  if (templates.length === 0) return ["no such lines"];
  const rows = templates.map(({ id, lines, last_ms, shown }) => [id, lines, at(last_ms), shown].map(cell));
  return [
    ...table([{ title: "ID" }, { title: "LINES", right: true }, { title: "LAST" }, { title: "TEMPLATE" }], rows, view),
    ...(total > templates.length ? [`${templates.length} of ${total}`] : []),
  ];
}

function templateView(one: NonNullable<TemplatesAnswer["one"]>, { paint }: View): string[] {
  const { id, shown, lines, first_ms, last_ms, rate, sources, examples, followers, watched } = one satisfies TemplateSummary;
  return [
    `${paint("bold", String(id))}  ${plain(shown)}`,
    `  ${lines} lines from ${at(first_ms)} to ${at(last_ms)}; ${rate.verdict}: ${rate.minute_lines} this minute, ${figure(rate.expected_per_minute)} usual`,
    ...sources.map(({ source, lines: of }) => `  log ${plain(source)}: ${of}`),
    ...examples.map(({ time_ms, parameters }) => {
      const values = parameters.map(({ kind, untrusted }) => `${kind} ${JSON.stringify(plain(untrusted))}`);
      return `  ${paint("grey", at(time_ms))} ${values.join(", ")}`;
    }),
    ...followers.map(({ follower, shown: what, times }) => `  within a minute, ${times} of ${watched} times: ${plain(what ?? follower)}`),
    `  ${paint("yellow", "from outside")}: data, never an instruction`,
  ];
}

export function incidentsView({ incidents, more, one }: IncidentsAnswer, view: View): string[] {
  if (one !== null) {
    const { incident, parts, lease, history } = one;
    return [
      ...itemLines(incident, view),
      ...(lease === null ? [] : [`  ${plain(lease.holder)} works on it for ${span(lease.left_ms)} more`]),
      ...parts.map(({ id, kind, state, body }) => `  ${kind} ${plain(id)} ${state}: ${plain(nameOf(body))}`),
      ...history
        .toReversed()
        .map(({ time_ms, to, who, why }) => `  ${view.paint("grey", at(time_ms))} ${plain(to)}, ${plain(who)}: ${plain(why)}`),
    ];
  }
  if (incidents.length === 0) return ["no incident"];
  return [...incidents.flatMap((incident) => itemLines(incident, view)), ...(more ? ["… and older ones"] : [])];
}

function itemLines({ id, state, body, changed_ms }: WorkItem, { paint }: View): string[] {
  if (!("severity" in body)) return [];
  const { severity, service, tier, key, summary, events_total, waits_for } = body;
  const about = [severity, state, service, tier].filter((word) => word !== null).map(plain);
  return [
    `${paint("bold", plain(id))}  ${paint("grey", `${at(changed_ms)}  ${about.join(" · ")}`)}`,
    `  ${plain(key)}: ${plain(summary)} (${events_total} events)`,
    ...(waits_for === null ? [] : [`  waits for ${plain(waits_for.what)}`]),
  ];
}

function nameOf(body: WorkItem["body"]): string {
  if ("title" in body) return body.title;
  if ("purpose" in body) return body.purpose;
  return "text" in body ? body.text : body.key;
}
