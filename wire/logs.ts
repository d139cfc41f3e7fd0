/** Log records that PID 1 sends: which subscription they belong to, also when they come before its number is known. */

import type { LogRecord } from "../contracts/event.ts";
import type { InitPeer } from "./service.ts";

/** Records held for a subscription whose number is not known yet. */
const early_max = 6000;

interface LogNotification {
  readonly subscription: number;
  readonly record: LogRecord;
}

export class LogReader {
  readonly #takers = new Map<number, (record: LogRecord) => void>();
  #early: LogNotification[] = [];
  #opening = 0;

  take(notification: LogNotification): void {
    const taker = this.#takers.get(notification.subscription);
    if (taker !== undefined) taker(notification.record);
    else if (this.#opening > 0 && this.#early.length < early_max) this.#early.push(notification);
  }

  /** The newest `lines` held records. */
  async held(init: Pick<InitPeer, "call">, service: string | null, lines: number): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    const close = await this.follow(init, service, lines, (record) => void records.push(record));
    // PID 1 answers in order: once this is answered, all held records have come.
    await close();
    return records.slice(-lines);
  }

  async follow(
    init: Pick<InitPeer, "call">,
    service: string | null,
    backlog: number,
    taker: (record: LogRecord) => void,
  ): Promise<() => Promise<void>> {
    this.#opening += 1;
    try {
      const { subscription } = await init.call("logs.subscribe", { service, backlog });
      const mine = this.#early.filter((one) => one.subscription === subscription);
      this.#early = this.#early.filter((one) => one.subscription !== subscription);
      for (const one of mine) taker(one.record);
      this.#takers.set(subscription, taker);
      return async () => {
        await init.call("logs.unsubscribe", { subscription }).catch(() => {});
        this.#takers.delete(subscription);
      };
    } finally {
      this.#opening -= 1;
      if (this.#opening === 0) this.#early = [];
    }
  }
}
