/** What memory did by itself becomes memory too, so that it is found when somebody asks what happened to it. */

import type { Memory } from "../../contracts/memory/record.ts";
import type { Clock } from "../clock.ts";
import type { Keeper } from "../keeper.ts";
import type { Parts } from "../parts.ts";

type Deed = Pick<Memory, "text" | "severity" | "outcome" | "body">;

export class Deeds {
  readonly #keeper: Keeper;
  readonly #clock: Clock;
  #last_sequence = 0;

  constructor(keeper: Keeper, clock: Clock) {
    this.#keeper = keeper;
    this.#clock = clock;
  }

  /** A transaction of its own. @param also what belongs to it @returns whether it could be written: health says why not */
  tell(deed: Deed, also: (parts: Parts) => void = () => {}): boolean {
    try {
      this.#keeper.write((parts) => {
        this.put(parts, deed);
        also(parts);
      });
      return true;
    } catch {
      return false;
    }
  }

  /** Inside the caller's transaction. @returns its id */
  put({ longterm }: Pick<Parts, "longterm">, deed: Deed): string {
    const boot_ms = this.#clock.boot_ms();
    // unique within the boot, also after a restart of the service: it counts microseconds
    this.#last_sequence = Math.max(this.#last_sequence + 1, Math.floor(boot_ms * 1000));
    const id = `${this.#clock.boot}-memory-${this.#last_sequence}`;
    const at = { time_ms: this.#clock.time_ms(), boot_ms };
    const by = { kind: "action", source: "memory", tier: null, tool: null, service: "memory" } as const;
    longterm.put({ id, ...at, ...by, ...deed, taint: [], links: [] });
    return id;
  }
}
