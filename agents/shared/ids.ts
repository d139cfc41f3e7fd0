/** Ids that do not repeat when the process is started again within one boot. */

import { shortBootId } from "../../contracts/boot-id.ts";

export class Ids {
  readonly #boot: string;
  readonly #source: string;
  #next: number;

  /** @param source the tier @param boot_ms the boot clock now: counting from its microseconds, a later start in the same boot begins higher */
  constructor(source: string, boot_id: string, boot_ms: number) {
    this.#source = source;
    this.#boot = shortBootId(boot_id);
    this.#next = Math.floor(boot_ms * 1000);
  }

  /** Of an event or another memory. */
  memory(): string {
    return `${this.#boot}-${this.#source}-${this.#next++}`;
  }

  decision(): string {
    return `${this.#boot}-d-${this.#source}-${this.#next++}`;
  }
}
