/** Ids that do not repeat when the process is started again within one boot. */

import { shortBootId } from "../../contracts/boot-id.ts";

export class Ids {
  readonly #boot: string;
  #next: number;

  /** @param boot_ms the boot clock now: counting from its microseconds, a later start in the same boot begins higher */
  constructor(boot_id: string, boot_ms: number) {
    this.#boot = shortBootId(boot_id);
    this.#next = Math.floor(boot_ms * 1000);
  }

  event(): string {
    return `${this.#boot}-reactive-${this.#next++}`;
  }

  decision(): string {
    return `${this.#boot}-d-reactive-${this.#next++}`;
  }
}
