/**
 * What an earlier process of this boot raised and did not clear: read from memory once, when memory and the sensors are both
 * there. Without it an alarm whose cause went away while reactive was down would stand for ever.
 */

import type { Event } from "../../contracts/event.ts";
import { type AlarmEvent, Standing } from "../shared/standing.ts";

export interface AdoptPorts {
  readonly boot: string;
  /** Those that raised what stands; null while memory is away. */
  readonly raised: () => Promise<Event[]> | null;
  readonly adopt: (event: AlarmEvent) => void;
  readonly warn: (sentence: string) => void;
}

export class Adoption {
  readonly #ports: AdoptPorts;
  #done = false;

  constructor(ports: AdoptPorts) {
    this.#ports = ports;
  }

  /** Whenever memory is there (again). */
  async run(): Promise<void> {
    const asked = this.#done ? null : this.#ports.raised();
    if (asked === null) return;
    this.#done = true;
    try {
      const standing = new Standing(this.#ports.boot);
      for (const event of await asked) standing.take(event);
      for (const event of standing.all()) this.#ports.adopt(event);
    } catch (error) {
      this.#done = false;
      this.#ports.warn(`reading which alarms stand failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
