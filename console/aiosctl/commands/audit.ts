/** Commands for the audit. */

import type { Command } from "commander";
import { type AuditEntry, AuditKind } from "../../../contracts/audit.ts";
import { CallStatus } from "../../../contracts/tool.ts";
import { exit } from "../exit.ts";
import { say, show } from "../output.ts";
import { time } from "../text/times.ts";
import { auditLine, recordView, verdictView } from "../views/audit.ts";
import { count } from "./follow.ts";
import type { Run } from "./look.ts";

interface Filters {
  readonly tool?: string;
  readonly principal?: string;
  readonly call?: string;
  readonly group?: string;
  readonly event?: string;
  readonly status?: string;
  readonly kind?: string;
  readonly resource?: string;
  readonly text?: string;
  readonly since?: number;
  readonly until?: number;
  readonly lines?: string;
  readonly export?: boolean;
}

const lines_default = "50";
const export_lines = "5000000";
/** At most: intent, approval asked and given, image, outcome. */
const entries_a_call = 5;

export function addAuditCommands(program: Command, run: Run): void {
  const audit = program
    .command("audit")
    .description("who did what, why, with what effect; newest first; one line a call unless --kind or --call is given")
    .option("--tool <name>", "only of this tool, or of a family: 'fs.*'")
    .option("--principal <name>", "only by this one: tier:tactical, person:operator, agent:web-setup")
    .option("--call <id>", "only of this call")
    .option("--group <name>", "only of this group")
    .option("--event <id>", "only answers to this event")
    .option("--resource <name>", "only what touched this, or what begins so: '/srv/*'")
    .option("--text <words>", "only with these words in reason, arguments or outcome")
    .option("--since <time>", "not before: 2026-02-03T04:05, or how long ago: 2h", (text) => time(text))
    .option("--until <time>", "not after", (text) => time(text))
    .addOption(program.createOption("--status <status>", "only with this outcome").choices(CallStatus.options))
    .addOption(program.createOption("--kind <kind>", "only entries of this kind").choices(AuditKind.options))
    .option("-n, --lines <count>", "how many at most (50; with --export all)", count(5_000_000))
    .option("--export", "as JSON lines, everything that fits the filters");
  audit.action(
    run(async (context) => {
      const { export: all, ...filters } = audit.opts<Filters>();
      if (context.json || all === true) {
        const query = queryOf(filters, filters.lines ?? (all === true ? export_lines : lines_default));
        for await (const entry of context.client.stream("audit", { query, signal: context.signal })) say(JSON.stringify(entry));
        return exit.ok;
      }
      const lines = Number(filters.lines ?? lines_default);
      const query = queryOf(filters, String(Math.min(lines * entries_a_call, Number(export_lines))));
      const entries = context.client.stream("audit", { query, signal: context.signal });
      const wanted = filters.kind === undefined && filters.call === undefined ? oneACall(entries) : entries;
      let shown = 0;
      for await (const entry of wanted) {
        say(auditLine(entry, context.view));
        shown += 1;
        if (shown === lines) break;
      }
      return exit.ok;
    }),
  );
  audit
    .command("verify")
    .description("read the whole chain: was any entry changed, moved or removed?")
    .action(
      run(async (context) => {
        const verdict = await context.client.call("audit_verify");
        show(context, verdict, () => verdictView(verdict, context.view));
        return verdict.whole ? exit.ok : exit.failed;
      }),
    );
  audit
    .command("show")
    .description("everything of one call")
    .argument("<call>", "its id")
    .action(
      run(async (context, id = "") => {
        const record = await context.client.call("call", { path: { id } });
        show(context, record, () => recordView(record, context.view));
        return exit.ok;
      }),
    );
}

/** For people: of a call that is over its outcome only, of one that is not its intent. Newest first. */
async function* oneACall(entries: AsyncIterable<AuditEntry>): AsyncGenerator<AuditEntry> {
  const over = new Set<string>();
  for await (const entry of entries) {
    if (entry.call !== null && entry.kind === "outcome") over.add(entry.call);
    if (entry.kind === "image" || (entry.kind === "intent" && over.has(entry.call ?? ""))) continue;
    yield entry;
  }
}

function queryOf({ since, until, status, kind, ...named }: Filters, lines: string) {
  const { tool, principal, call, group, event, resource, text } = named;
  return given({
    ...{ tool, principal, call, group, event, resource, text },
    status: status === undefined ? undefined : CallStatus.parse(status),
    kind: kind === undefined ? undefined : AuditKind.parse(kind),
    since_ms: since === undefined ? undefined : String(since),
    until_ms: until === undefined ? undefined : String(until),
    lines,
  });
}

/** Without the members that have no value. */
function given<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
