/** Commands for what is going on now: the last hour, what logs say, incidents. */

import { type Command, Option } from "commander";
import { Severity } from "../../../contracts/event.ts";
import { IncidentsAnswer, RecentAnswer, TemplatesAnswer } from "../../../contracts/memory/now.ts";
import { Window } from "../../../contracts/memory/operational.ts";
import { time } from "../text/times.ts";
import { incidentsView, recentView, templatesView } from "../views/memory-now.ts";
import { count } from "./follow.ts";
import type { Run } from "./look.ts";
import { look } from "./of-tool.ts";

export function addPresent(memory: Command, run: Run): void {
  const recent = memory.command("recent").description("the last hour, counted (memory.recent)");
  recent
    .addOption(new Option("--window <window>", "how far back").choices(Window.options).default("15m"))
    .option("--events <n>", "newest events", count(100, 0), "20")
    .option("--kind <kind>", "only events of this kind: service.exited")
    .option("--service <name>", "only events about this service")
    .addOption(new Option("--severity <severity>", "events at least as severe").choices(Severity.options).default("debug"))
    .option("--count <kind>", "how often this kind came")
    .option("--measured <name>", "how a figure is spread: cpu.busy_ratio");
  recent.action(
    run(async (context) => {
      const {
        window,
        events,
        kind = null,
        service = null,
        severity,
        count: counted = null,
        measured = null,
      } = recent.opts<RecentOptions>();
      const args = { window, events: Number(events), kind, service, severity_min: severity, count: counted, measured };
      return await look(context, "memory.recent", args, (answer) => recentView(RecentAnswer.parse(answer), context.view));
    }),
  );
  const templates = memory.command("templates").description("what the lines of logs have in common (memory.templates)");
  templates
    .argument("[id]", "one of them, whole: its number", count(9_999_999))
    .option("--unusual", "what is new, comes far more often than usual, or fell silent")
    .option("--source <log>", "only of this log")
    .option("--since <time>", "with a line since then", (text) => time(text))
    .option("--new-since <time>", "first seen since then", (text) => time(text))
    .addOption(new Option("--order <order>", "which first").choices(["most", "newest", "latest"]).default("most"))
    .option("--limit <n>", "templates", count(100), "20");
  templates.action(
    run(async (context) => {
      const [id] = templates.args;
      const { unusual = false, source = null, since = null, newSince = null, order, limit } = templates.opts<TemplatesOptions>();
      const args = { unusual, source, since_ms: since, new_since_ms: newSince, order, limit: Number(limit) };
      return await look(context, "memory.templates", { ...args, id: id === undefined ? null : Number(id) }, (answer) =>
        templatesView(TemplatesAnswer.parse(answer), context.view),
      );
    }),
  );
  const incidents = memory.command("incidents").description("what is wrong and being dealt with (memory.incidents)");
  incidents
    .argument("[id]", "one of them, with all that became of it")
    .option("--all", "also those that are over")
    .option("--limit <n>", "incidents", count(100), "20");
  incidents.action(
    run(async (context) => {
      const [id] = incidents.args;
      const { all, limit } = incidents.opts<{ all?: boolean; limit: string }>();
      const args = { id: id ?? null, ended: all === true ? null : false, limit: Number(limit) };
      return await look(context, "memory.incidents", args, (answer) => incidentsView(IncidentsAnswer.parse(answer), context.view));
    }),
  );
}

interface RecentOptions {
  readonly window: string;
  readonly events: string;
  readonly kind?: string;
  readonly service?: string;
  readonly severity: string;
  readonly count?: string;
  readonly measured?: string;
}

interface TemplatesOptions {
  readonly unusual?: boolean;
  readonly source?: string;
  readonly since?: number;
  readonly newSince?: number;
  readonly order: string;
  readonly limit: string;
}
