/** What the classifier says that was trained on this system's own outcomes (memory/classifier/): memory holds it, and the sentence model. */

import type { MemoryPeer } from "../loop/incidents.ts";
import type { AlarmEvent } from "../shared/standing.ts";
import type { Candidate, SignalSource, Weighed } from "./signal.ts";

const limit_ms = 1000;
const candidates_max = 64;

export class ClassifierSignal implements SignalSource {
  readonly who = "classifier";
  readonly #memory: () => MemoryPeer;

  /** @param memory throws while it is away */
  constructor(memory: () => MemoryPeer) {
    this.#memory = memory;
  }

  async weigh({ facts }: AlarmEvent, candidates: readonly Candidate[]): Promise<Weighed> {
    if (candidates.length === 0) return { chances: new Map(), said: "nothing to choose from", tokens: 0 };
    const { alarm, subject, detail } = facts;
    const rules = candidates.slice(0, candidates_max).map(({ rule }) => rule);
    try {
      const { chances, said } = await this.#memory().call("classifier.weigh", { alarm, subject, detail, rules }, limit_ms);
      return { chances: new Map(chances.map(({ rule, chance }) => [rule, chance])), said, tokens: 0 };
    } catch (error) {
      return { chances: new Map(), said: (error instanceof Error ? error.message : String(error)).slice(0, 150), tokens: 0 };
    }
  }
}
