/**
 * The operational tier's own training: when enough came of decisions since the last version, the classifier is trained anew, which
 * switches it on only when it is better (memory.train); and one whose live record has fallen gives way to the version before (memory.classifier).
 */

import type { BasePorts } from "../loop/ports.ts";
import { tries_looked_at } from "../loop/ports.ts";
import type { Round } from "../loop/run.ts";
import { fallen } from "../router/fallen.ts";

const look_every_ms = 60_000;
/** What came since the last try; fewer would hardly say anything else. */
const outcomes_new_min = 70;

export function trainingRound({ ask, memory, log }: Pick<BasePorts, "ask" | "memory" | "log">, every_ms = look_every_ms): Round {
  let looked_ms = Number.NEGATIVE_INFINITY;
  /** When it was last tried, by the wall clock of the newest decision then. */
  let tried_ms = Number.NEGATIVE_INFINITY;
  let said = "";
  const look = async (): Promise<void> => {
    const { in_use, versions, changes } = await memory().call("classifier.state", { limit: 20 });
    const past = await memory().call("learning.tries", { limit: tries_looked_at });
    const [change] = changes;
    const why = in_use === null || change === undefined ? null : fallen(past, change.time_ms);
    if (why !== null && in_use !== null) {
      const version = versionBefore(in_use, changes);
      await ask("memory.classifier", { version }, `version ${in_use} of the classifier has become worse: ${why}`.slice(0, 300));
      log.warn(`version ${in_use} of the classifier was taken back: ${why}`);
      return;
    }
    const newest_ms = Math.max(tried_ms, versions[0]?.report.made_ms ?? Number.NEGATIVE_INFINITY);
    const fresh = past.filter(({ time_ms }) => time_ms > newest_ms);
    if (fresh.length < outcomes_new_min) return;
    tried_ms = Math.max(...fresh.map(({ time_ms }) => time_ms));
    const { version, report } = await ask("memory.train", {}, `${fresh.length} decisions came to an end since the last time`);
    log.info(`the classifier was trained: ${version === null ? "not switched on" : `version ${version}`}: ${report.said}`);
  };
  return {
    busy: 0,
    async run() {
      if (performance.now() - looked_ms < every_ms) return;
      looked_ms = performance.now();
      try {
        await look();
        said = "";
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        if (text !== said) log.warn(`looking after the classifier failed: ${text}; it is tried again`);
        said = text;
      }
    },
  };
}

/** The one that was used before, never a later one: that has given way itself. @param changes newest first @returns null: none */
export function versionBefore(in_use: number, changes: readonly { readonly version: number | null }[]): number | null {
  return changes.find(({ version }) => version === null || version < in_use)?.version ?? null;
}
