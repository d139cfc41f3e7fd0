/**
 * Brings what was unfinished to its end (recover.ts). That has to be recorded: on a full disk it waits until there is room, and the
 * broker answers what only looks meanwhile. Nothing is changed before: taking an old call back would meet what newer ones did.
 */

import type { CallOutcome } from "../../contracts/tool.ts";
import { textOf } from "./entries.ts";
import { type RecoverPorts, recover } from "./recover.ts";

const again_ms = 2000;

interface RecoveryOptions {
  readonly ports: RecoverPorts;
  readonly onRecovered: (outcome: CallOutcome) => Promise<void>;
  readonly log: (text: string) => void;
}

export class Recovery {
  readonly #options: RecoveryOptions;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #wanting: string | null = null;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Why it is not done yet, or null. */
  get wanting(): string | null {
    return this.#wanting;
  }

  /** @returns the outcomes that were found, oldest call first @throws what is no want of recording */
  async begin(): Promise<CallOutcome[]> {
    const { ports, onRecovered, log } = this.#options;
    const outcomes: CallOutcome[] = [];
    try {
      for await (const outcome of recover(ports)) {
        outcomes.push(outcome);
        await onRecovered(outcome);
      }
      if (this.#wanting !== null) log("what was unfinished at the start is at its end: calls are made again");
      this.#wanting = null;
    } catch (error) {
      if (ports.audit.degradation === null) throw error;
      if (this.#wanting === null) log(`ending what was unfinished at the start failed, it is tried again: ${textOf(error)}`);
      this.#wanting = `what was unfinished at the start cannot be ended yet: ${textOf(error)}`;
      this.#later();
    }
    return outcomes;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #later(): void {
    this.#timer = setTimeout(() => {
      // the audit tries by itself whether it can be written again
      if (this.#options.ports.audit.degradation !== null) this.#later();
      else this.begin().catch((error: unknown) => this.#options.log(`ending what was unfinished failed: ${textOf(error)}`));
    }, again_ms);
  }
}
