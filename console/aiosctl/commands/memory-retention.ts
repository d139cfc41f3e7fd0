/** Rules of retention: what may be deleted of what is remembered (memory.retention, memory.retain). */

import { type Command, InvalidArgumentError, Option } from "commander";
import { Severity } from "../../../contracts/event.ts";
import { MemoryKind, Tier } from "../../../contracts/memory/record.ts";
import { RetentionRule, Tombstone } from "../../../contracts/memory/retention.ts";
import { retentionView } from "../views/memory-retention.ts";
import { count } from "./follow.ts";
import type { Run } from "./look.ts";
import { call, look } from "./of-tool.ts";
import { showCall } from "./tools.ts";

const Rules = RetentionRule.array();
const Tombstones = Tombstone.array();
/** As the contract has it (contracts/memory/retention.ts). */
const days_max = 36_500;
const why = ["--why <text>", "the reason, for the record"] as const;

interface RuleOptions {
  readonly olderThan: number;
  readonly kind?: string;
  readonly source?: string;
  readonly tier?: string;
  readonly severityMax?: string;
  readonly why: string;
}

export function addRetention(memory: Command, run: Run): void {
  const retention = memory
    .command("retention")
    .description("which memories may be deleted, and which were (memory.retention)")
    .option("--steps <n>", "steps of deleting to show", count(200), "20");
  retention.action(
    run(async (context) => {
      const { steps } = retention.opts<{ steps: string }>();
      return await look(context, "memory.retention", { tombstones: Number(steps) }, (answer) =>
        retentionView(Rules.parse(answer["rules"]), Tombstones.parse(answer["tombstones"]), context.view),
      );
    }),
  );
  addSet(retention, run);
  const end = retention
    .command("end")
    .description("end a rule (memory.retain)")
    .argument("<rule>", "its number")
    .requiredOption(...why);
  end.action(
    run(async (context, rule = "") =>
      showCall(context, await call(context, "memory.retain", { end: Number(rule) }, end.opts<{ why: string }>().why)),
    ),
  );
}

function addSet(retention: Command, run: Run): void {
  const set = retention
    .command("set")
    .description("delete for good what is older, now and from now on; shown first, and approved (memory.retain)")
    .requiredOption("--older-than <days>", "whole days: 365", days)
    .addOption(new Option("--kind <kind>", "only of this kind").choices(MemoryKind.options))
    .option("--source <name>", "only what this service remembered")
    .addOption(new Option("--tier <tier>", "only what this tier decided or did").choices(Tier.options))
    .addOption(new Option("--severity-max <severity>", "only what is at most as severe").choices(Severity.options))
    .requiredOption(...why);
  set.action(
    run(async (context) => {
      const { olderThan, kind, source, tier, severityMax, why: reason } = set.opts<RuleOptions>();
      const list = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: [value] });
      const only = { ...list("kinds", kind), ...list("sources", source), ...list("tiers", tier) };
      const rule = { older_than_days: olderThan, ...only, ...(severityMax === undefined ? {} : { severity_max: severityMax }) };
      return showCall(context, await call(context, "memory.retain", { set: rule }, reason));
    }),
  );
}

function days(text: string): number {
  const value = /^([1-9][0-9]{0,4})d?$/.exec(text)?.[1];
  if (value === undefined || Number(value) > days_max) throw new InvalidArgumentError(`give whole days from 1 to ${days_max}: 365`);
  return Number(value);
}
