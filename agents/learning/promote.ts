/** Moves playbooks from stage to stage by their record, each move written down where people read it. */

import type { DryRun, Learning, RuleRecord } from "../../contracts/learning.ts";
import type { BasePorts } from "../loop/ports.ts";
import { ruleOf } from "../loop/track-record.ts";
import { documentId, type Lesson } from "./document.ts";
import type { KnownTools } from "./known-tools.ts";
import type { Known, Library } from "./library.ts";
import { dry_runs_min, nextStage, type Step, tallyOf, trialOf } from "./stages.ts";
import { writeLesson } from "./write.ts";

const rules_asked_max = 200;
const records_max = 500;
const history_max = 20;
const overrides_max = 500;

export interface PromotePorts extends Pick<BasePorts, "broker" | "memory"> {
  readonly log: Pick<BasePorts["log"], "info">;
  readonly tools: KnownTools;
  readonly library: Library;
}

/** @returns whether something was written @throws when broker or memory is away: the next time goes on */
export async function promoteAll(ports: PromotePorts): Promise<boolean> {
  await lookForOverridden(ports);
  const all = ports.library.all();
  const records = await recordsOf(all, ports);
  let written = false;
  for (const known of all) {
    const of_this = records.filter(({ rule }) => rule === ruleOf(known.playbook.name));
    const step = nextStage(known, {
      records: of_this,
      dry_runs: known.learning.stage === "trial" ? await dryRuns(known, ports) : [],
      risks: await risksOf(known, ports),
      now_ms: Date.now(),
    });
    if (step === null) continue;
    written = (await move(known, step, tallyOf(of_this).against, ports)) || written;
  }
  return written;
}

/** What a playbook was made of counts as its first try: where a person took it back, that one failed. */
async function lookForOverridden({ library, memory }: PromotePorts): Promise<void> {
  const decisions = library.learnedFrom();
  if (decisions.length === 0) return;
  const said = await memory().call("learning.overrides", { decisions, limit: overrides_max });
  library.knowOverridden(new Set(said.filter(({ how }) => how === "undone").map(({ decision }) => decision)));
}

async function recordsOf(all: readonly Known[], { memory }: PromotePorts): Promise<RuleRecord[]> {
  const rules = all.map(({ playbook }) => ruleOf(playbook.name));
  const records: RuleRecord[] = [];
  for (let at = 0; at < rules.length; at += rules_asked_max)
    records.push(...(await memory().call("learning.records", { rules: rules.slice(at, at + rules_asked_max), limit: records_max })));
  return records;
}

async function dryRuns({ playbook }: Known, { memory }: PromotePorts): Promise<DryRun[]> {
  // those of incidents that are under way do not count, and there are a few of these at most
  return await memory().call("learning.dry_runs", { rule: trialOf(playbook.name), limit: dry_runs_min * 4 });
}

async function risksOf({ playbook }: Known, { tools }: PromotePorts) {
  const names = playbook.steps.map(({ tool }) => tool);
  const known = await tools.of(names);
  return new Map(names.map((name) => [name, known.get(name)?.risk ?? null]));
}

/** @returns whether it was written */
async function move(known: Known, { to, why }: Step, against: number, ports: PromotePorts): Promise<boolean> {
  const { playbook, learning, bundled, document } = known;
  const change = { time_ms: Date.now(), from: learning.stage, to, why: why.slice(0, 300) };
  const next: Learning = { ...learning, stage: to, against, history: [...learning.history, change].slice(-history_max) };
  const lesson: Lesson = { playbook: bundled ? null : playbook, learning: next };
  if (document === null && ports.library.isRefused(documentId(lesson))) return false;
  await writeLesson(ports.broker(), {
    lesson,
    before: document,
    reason: `from ${learning.stage} to ${to}: ${why}`,
    decision: null,
  });
  ports.log.info(`the playbook "${playbook.name}" went from ${learning.stage} to ${to}: ${why}`);
  return true;
}
