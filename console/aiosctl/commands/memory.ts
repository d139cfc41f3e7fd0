/** Commands for memory: each is a call of its tool, authorised and on record like any other. */

import { type Command, Option } from "commander";
import { Severity } from "../../../contracts/event.ts";
import { longterm_methods, SearchAnswer } from "../../../contracts/memory/longterm.ts";
import { MemoryKind, MemoryOutcome, Recalled } from "../../../contracts/memory/record.ts";
import { BackupsAnswer } from "../../../contracts/memory/upkeep.ts";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { show } from "../output.ts";
import { time } from "../text/times.ts";
import { backupsView, memoriesView, memoryView, searchView, statsView } from "../views/memory.ts";
import { count } from "./follow.ts";
import type { Run } from "./look.ts";
import { addPresent } from "./memory-now.ts";
import { addRetention } from "./memory-retention.ts";
import { call, look, noteOf } from "./of-tool.ts";
import { showCall, usage } from "./tools.ts";

const { found: Hits, mode: Mode } = SearchAnswer.shape;
const Memories = Recalled.array();
const Unknown = Recalled.shape.id.array();
const why = ["--why <text>", "the reason, for the record"] as const;

export function addMemoryCommands(program: Command, run: Run): void {
  const memory = program.command("memory").description("what happened, was decided, done and learned: find it, see what was around it");
  addFinding(memory, run);
  addReading(memory, run);
  addPresent(memory, run);
  addMarking(memory, run);
  addRetention(memory, run);
}

interface FilterOptions {
  readonly since?: number;
  readonly until?: number;
  readonly kind?: string;
  readonly service?: string;
  readonly tool?: string;
  readonly outcome?: string;
  readonly severity?: string;
  readonly untainted?: boolean;
  readonly quarantined?: boolean;
}

function withFilter(command: Command): Command {
  return command
    .option("--since <time>", "not older: 2026-02-03T04:05 (UTC), or how long ago: 7d", (text) => time(text))
    .option("--until <time>", "not younger", (text) => time(text))
    .addOption(new Option("--kind <kind>", "only of this kind").choices(MemoryKind.options))
    .option("--service <name>", "only about this service")
    .option("--tool <name>", "only calls of this tool")
    .addOption(new Option("--outcome <outcome>", "only what came out so").choices(MemoryOutcome.options))
    .addOption(new Option("--severity <severity>", "at least as severe").choices(Severity.options))
    .option("--untainted", "only what holds no text from outside")
    .option("--quarantined", "also what is in quarantine");
}

function filterOf({
  since,
  until,
  kind,
  service,
  tool,
  outcome,
  severity,
  untainted,
  quarantined,
}: FilterOptions): Record<string, unknown> {
  const list = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: [value] });
  return {
    ...(since === undefined ? {} : { since_ms: since }),
    ...(until === undefined ? {} : { until_ms: until }),
    ...{ ...list("kinds", kind), ...list("services", service), ...list("tools", tool), ...list("outcomes", outcome) },
    ...(severity === undefined ? {} : { severity_min: severity }),
    ...(untainted === true ? { untainted } : {}),
    ...(quarantined === true ? { quarantined } : {}),
  };
}

function addFinding(memory: Command, run: Run): void {
  const search = withFilter(memory.command("search").description("what fits, best first, and why (memory.search)"))
    .argument("<words...>", "what is looked for: nginx stopped answering after the update")
    .addOption(new Option("--mode <mode>", "by word, by meaning, or both").choices(["hybrid", "words", "meaning"]).default("hybrid"))
    .option("--limit <n>", "memories", count(50), "10");
  search.action(
    run(async (context) => {
      const { limit, mode, ...filter } = search.opts<FilterOptions & { limit: string; mode: string }>();
      const args = { query: search.args.join(" "), mode, limit: Number(limit), ...filterOf(filter) };
      return await look(context, "memory.search", args, (answer) =>
        searchView(Hits.parse(answer["found"]), Mode.parse(answer["mode"]), noteOf(answer), context.view),
      );
    }),
  );
  const timeline = withFilter(memory.command("timeline").description("what was before and after, oldest first (memory.timeline)"))
    .option("--around <id>", "the memory in the middle")
    .option("--at <time>", "or the moment in the middle", (text) => time(text))
    .option("--before <n>", "memories before it", count(100, 0), "10")
    .option("--after <n>", "memories after it", count(100, 0), "10");
  timeline.action(
    run(async (context) => {
      const { around, at, before, after, ...filter } = timeline.opts<TimelineOptions>();
      if ((around === undefined) === (at === undefined)) throw usage("give --around ID or --at TIME, one of them");
      const middle = around === undefined ? { at_ms: at } : { around };
      const args = { ...middle, before: Number(before), after: Number(after), ...filterOf(filter) };
      return await look(context, "memory.timeline", args, (answer) =>
        memoriesView(Memories.parse(answer["memories"]), around ?? null, noteOf(answer), context.view),
      );
    }),
  );
}

interface TimelineOptions extends FilterOptions {
  readonly around?: string;
  readonly at?: number;
  readonly before: string;
  readonly after: string;
}

function addReading(memory: Command, run: Run): void {
  const one = memory.command("show").description("memories whole, with their links (memory.recall)").argument("<ids...>", "their ids");
  one.action(
    run(async (context) =>
      look(context, "memory.recall", { ids: one.args }, (answer) => {
        const unknown = Unknown.parse(answer["unknown"]).map((id) => `${id}: not remembered`);
        return [...Memories.parse(answer["memories"]).flatMap((each) => memoryView(each, context.view)), ...unknown];
      }),
    ),
  );
  const trace = memory.command("trace").description("what a memory led to (memory.trace)").argument("<id>", "the memory");
  trace.option("--back", "what it came from instead");
  trace.action(
    run(async (context, id = "") => {
      const direction = trace.opts<{ back?: boolean }>().back === true ? "influenced-by" : "influenced";
      return await look(context, "memory.trace", { id, direction, limit: 200 }, (answer) => {
        const { reached, truncated } = longterm_methods.trace.result.parse(answer);
        // as the link says it: what was reached stands at its beginning, or with --back at its end
        const said = ({ id: to, from, over }: (typeof reached)[number]): string =>
          direction === "influenced" ? `${to}  ${over} ${from}` : `${from}  ${over} ${to}`;
        const lines = reached.map((each) => `${"  ".repeat(each.depth - 1)}${said(each)}`);
        return [...(lines.length === 0 ? ["nothing"] : lines), ...(truncated ? ["… and more"] : [])];
      });
    }),
  );
  const stats = memory.command("stats").description("how much is remembered (memory.stats)");
  stats.action(
    run(async (context) =>
      look(context, "memory.stats", {}, (answer) => statsView(longterm_methods.stats.result.parse(answer), context.view)),
    ),
  );
}

/** What changes how far a memory is relied on, and copies of all of it. */
function addMarking(memory: Command, run: Run): void {
  const store = memory.command("store").description("remember a note (memory.store)").argument("<words...>", "what is worth knowing");
  store
    .option("--lesson", "it was learned from what happened")
    .option("--service <name>", "about this service")
    .requiredOption(...why);
  store.action(
    run(async (context) => {
      const { lesson, service = null, why: reason } = store.opts<{ lesson?: boolean; service?: string; why: string }>();
      const args = { text: store.args.join(" "), kind: lesson === true ? "lesson" : "note", service };
      return await made(context, "memory.store", args, reason);
    }),
  );
  const pin = memory.command("pin").description("find it before others (memory.pin)").argument("<id>", "the memory");
  pin.option("--off", "not any more").requiredOption(...why);
  pin.action(
    run(async (context, id = "") => {
      const { off, why: reason } = pin.opts<{ off?: boolean; why: string }>();
      return await made(context, "memory.pin", { id, pinned: off !== true }, reason);
    }),
  );
  const quarantine = memory
    .command("quarantine")
    .description("do not rely on it, nor on what rests on it (memory.quarantine)")
    .argument("<id>", "the memory")
    .option("--release", "rely on it again")
    .requiredOption(...why);
  quarantine.action(
    run(async (context, id = "") => {
      const { release, why: reason } = quarantine.opts<{ release?: boolean; why: string }>();
      return await made(context, "memory.quarantine", { id, reason: release === true ? null : reason.slice(0, 400) }, reason);
    }),
  );
  for (const [verb, what] of [
    ["backup", "copy all of memory to a backup of this name"],
    ["restore", "go back to a backup; what came since is set aside"],
    ["export", "write all memories as JSON lines"],
    ["import", "take in such a file of the folder imports/"],
  ] as const) {
    const one = memory
      .command(verb)
      .description(`${what} (memory.${verb})`)
      .argument("<name>", "its name")
      .requiredOption(...why);
    one.action(run(async (context, name = "") => made(context, `memory.${verb}`, { name }, one.opts<{ why: string }>().why)));
  }
  const backups = memory
    .command("backups")
    .description("backups that there are (memory.backups)")
    .option("--verify <name>", "read one through");
  backups.action(
    run(async (context) => {
      const result = await call(
        context,
        "memory.backups",
        { verify: backups.opts<{ verify?: string }>().verify ?? null },
        "looking at backups",
      );
      if (result.structuredContent === null) return showCall(context, result);
      show(context, result.structuredContent, (answer) => backupsView(BackupsAnswer.parse(answer), context.view));
      const { faults } = result.structuredContent;
      return Array.isArray(faults) && faults.length > 0 ? exit.failed : exit.ok;
    }),
  );
}

async function made(context: Context, tool: string, args: Record<string, unknown>, reason: string): Promise<number> {
  return showCall(context, await call(context, tool, args, reason));
}
