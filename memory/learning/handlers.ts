/** What came of decisions, as it is asked over the socket. */

import type { Decision } from "../../contracts/decision.ts";
import type { TrainingCase } from "../../contracts/learning.ts";
import type { learning_methods } from "../../contracts/memory/learning.ts";
import type { Handlers } from "../../wire/peer.ts";
import { withoutSecrets } from "../../wire/secrets-in-text.ts";
import type { Batch } from "../group-commit.ts";
import type { Keeper } from "../keeper.ts";

/** Bytes of one page of cases as JSON: well below a frame. */
const page_bytes_max = 128 * 1024;

/** @param append writes and tells who subscribed; answers how many rows are new or changed */
export function learningHandlers(
  keeper: Keeper,
  append: (batch: Batch) => Promise<{ readonly written: number }>,
): Handlers<typeof learning_methods> {
  return {
    "learning.overrides": ({ decisions, limit }) => keeper.read(({ overrides }) => overrides.newest(decisions, limit)),
    "learning.override": async ({ said }) => ({ decisions: (await append({ events: [], decisions: [], said })).written }),
    "learning.records": ({ rules, limit }) => keeper.read(({ outcomes }) => outcomes.records(rules, limit)),
    "learning.tries": ({ limit }) => keeper.read(({ outcomes }) => outcomes.tries(limit)),
    "learning.dry_runs": ({ rule, limit }) => keeper.read(({ outcomes }) => outcomes.dryRuns(rule, limit)),
    "learning.alarms": ({ limit }) => keeper.read(({ outcomes }) => outcomes.alarms(limit)),
    "learning.cases": ({ after, limit }) =>
      keeper.read(({ outcomes, store }) => {
        const ids = outcomes.cases(after, limit + 1);
        const cases: TrainingCase[] = [];
        let bytes = 0;
        for (const id of ids.slice(0, limit)) {
          const decision = store.decision(id);
          const one = decision === null ? null : caseOf(decision);
          if (one === null) continue; // its segment cannot be read
          bytes += JSON.stringify(one).length;
          if (cases.length > 0 && bytes > page_bytes_max) return { cases, more: true };
          cases.push(one);
        }
        return { cases, more: ids.length > limit };
      }),
  };
}

function caseOf({ id, time_ms, trigger, tier, rule, action, outcome, asked = [], boot_ms }: Decision): TrainingCase | null {
  const { result, after_ms, overridden = null } = outcome;
  if (trigger.kind !== "alarm.changed" || result === "pending" || result === "suppressed") return null;
  if (result === "refused" && overridden === null) return null;
  const { alarm, subject, detail } = trigger.facts;
  return {
    ...{ decision: id, time_ms, alarm, tier, rule, result, severity: trigger.severity },
    overridden: overridden === null ? null : { ...overridden, why: withoutSecrets(overridden.why).text },
    subject: withoutSecrets(subject).text,
    detail: withoutSecrets(detail).text,
    taint: trigger.untrusted === undefined ? [] : ["event:alarm.changed"],
    tools: action.do === "call" ? action.calls.map(({ tool }) => tool) : [],
    repair_ms: after_ms === null || id.slice(0, 8) !== trigger.id.slice(0, 8) ? null : Math.max(0, boot_ms - trigger.boot_ms + after_ms),
    tokens: asked.reduce((sum, { tokens }) => sum + tokens, 0),
    usd: asked.reduce((sum, { usd }) => sum + usd, 0),
  };
}
