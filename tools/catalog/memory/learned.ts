/** memory.learned */

import { z } from "zod";
import { LearnedAnswer, Learning, type PlaybookLearned, type RuleRecord } from "../../../contracts/learning.ts";
import { lowerBound, upperBound } from "../../../wire/binomial.ts";
import { fencedYaml } from "../../../wire/fenced-yaml.ts";
import type { Context } from "../../context.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { readsAll } from "./shared/memory.ts";

const alarms_max = 100;
const records_max = 500;
const page = 100;
const versions_max = 20;
const overrides_max = 20;
const documents_max = 300;
const of_playbook = "playbook ";

interface Documents {
  readonly learnings: ReadonlyMap<string, { readonly id: string; readonly learning: Learning }>;
  readonly faults: readonly string[];
}

export const memoryLearned = defineTool({
  name: "memory.learned",
  title: "What was learned",
  description:
    "How the system became faster and cheaper: for each alarm how often it came, which tier solved it the first and the last time, how long that took and what deciding cost; for each playbook how far it is (playbook, trial, rule, retired), its record with the bound, and when and why that changed; what people took back or declined of it.",
  input: z.lazy(() => z.strictObject({})),
  output: LearnedAnswer,
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ faults }) => faults.length > 0,
  image: null,
  resolve: readsAll,
  async run(_target, _input, context) {
    const memory = memoryOf(context, "looking at what was learned");
    const [alarms, records, overrides, classifier, { learnings, faults }] = await Promise.all([
      asked(memory.call("learning.alarms", { limit: alarms_max })),
      asked(memory.call("learning.records", { rules: null, limit: records_max })),
      asked(memory.call("learning.overrides", { decisions: null, limit: overrides_max })),
      asked(memory.call("classifier.state", { limit: versions_max })),
      documents(context),
    ]);
    const tried = records.filter(({ rule }) => rule.startsWith(of_playbook)).map(({ rule }) => rule.slice(of_playbook.length));
    const names = [...new Set([...learnings.keys(), ...tried])].sort();
    const playbooks = names.map((name) => toldOf(name, learnings.get(name) ?? null, records));
    return { alarms, playbooks, overrides, classifier, faults: [...faults] };
  },
});

async function documents(context: Context): Promise<Documents> {
  const memory = memoryOf(context, "reading playbooks");
  const learnings = new Map<string, { id: string; learning: Learning }>();
  const faults: string[] = [];
  for (let offset = 0; offset < documents_max; offset += page) {
    const list = await asked(memory.call("knowledge.list", { kinds: ["playbook"], prefix: "playbooks/", offset, limit: page }));
    for (const { document: id } of list.documents) {
      const shown = await asked(memory.call("knowledge.show", { id, version: null, section: null }));
      try {
        const learning = fencedYaml(shown?.text ?? "", "learning", Learning);
        if (learning !== null) learnings.set(learning.playbook, { id, learning });
      } catch (error) {
        faults.push(`${id}: ${error instanceof Error ? error.message : String(error)}`.slice(0, 500));
      }
    }
    if (offset + page >= list.total) break;
  }
  return { learnings, faults };
}

function toldOf(
  name: string,
  found: { readonly id: string; readonly learning: Learning } | null,
  all: readonly RuleRecord[],
): PlaybookLearned {
  const records = all.filter(({ rule }) => rule === `${of_playbook}${name}`);
  const sum = (of: (one: RuleRecord) => number): number => records.reduce((total, one) => total + of(one), 0);
  const [worked, failed] = [sum((one) => one.worked), sum((one) => one.failed)];
  const { stage, learned_from, learned_by, tainted_subject, history } =
    found?.learning ?? Learning.parse({ playbook: name, stage: "playbook" });
  return {
    ...{ name, stage, document: found?.id ?? null, learned_from, learned_by, tainted_subject, worked, failed, history },
    overridden: sum((one) => one.overridden),
    ...{ refused: sum((one) => one.refused), worked_since_failure: sum((one) => one.worked_since_failure) },
    ...{ low: lowerBound(worked, worked + failed), high: upperBound(worked, worked + failed) },
    // newest first
    ...{ last_ms: records[0]?.last_ms ?? null, last_tier: records[0]?.tier ?? null },
  };
}
