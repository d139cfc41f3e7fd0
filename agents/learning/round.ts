/**
 * The tactical tier's round of learning: what was solved becomes a playbook, a playbook that is proven goes down a
 * tier, and what is known is read again.
 */

import type { BasePorts } from "../loop/ports.ts";
import type { Round } from "../loop/run.ts";
import { KnownTools } from "./known-tools.ts";
import { Learner } from "./learn.ts";
import type { Library } from "./library.ts";
import { promoteAll } from "./promote.ts";

const look_every_ms = 10_000;

export interface LearningRound extends Round {
  /** Something was solved: it is looked at in the next round. */
  wake(): void;
}

export function learningRound(ports: BasePorts, library: Library): LearningRound {
  const { log } = ports;
  const tools = new KnownTools(ports.broker);
  const learner = new Learner({ ...ports, tools, library });
  let next_ms = 0;
  let running = false;
  let first = true;
  let said = "";

  const look = async (): Promise<void> => {
    const began_ms = performance.now();
    try {
      await library.refresh(began_ms);
      const learned = await learner.run();
      const promoted = await promoteAll({ ...ports, tools, library });
      if (learned || promoted) await library.refresh(began_ms, true);
      said = "";
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== said) log.warn(`learning was interrupted: ${text}; it is tried again`);
      said = text;
    } finally {
      running = false;
    }
  };
  return {
    busy: 0,
    wake() {
      next_ms = 0;
    },
    async run() {
      if (running || performance.now() < next_ms) return;
      running = true;
      next_ms = performance.now() + look_every_ms;
      // what was learned before is to be known before the first incident is worked on
      if (first) await look();
      else void look();
      first = false;
    },
  };
}
