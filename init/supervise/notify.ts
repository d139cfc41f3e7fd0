/** The messages of sd_notify(3): lines of NAME=VALUE. They come from programs that are not ours; only what is known is read. */

export interface Notified {
  readonly ready: boolean;
  readonly alive: boolean;
  /** It has begun to end of its own accord. */
  readonly stopping: boolean;
  /** It has begun to read its configuration anew; READY=1 follows when it has. */
  readonly reloading: boolean;
  /** WATCHDOG=trigger: it says of itself that it hangs. */
  readonly stuck: boolean;
  readonly status: string | null;
  readonly extend_ms: number | null;
}

const status_chars_max = 200;

export function parseNotify(message: string): Notified {
  const said = new Map<string, string>();
  for (const line of message.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) said.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const extend = said.get("EXTEND_TIMEOUT_USEC");
  return {
    ready: said.get("READY") === "1",
    alive: said.get("WATCHDOG") === "1",
    stopping: said.get("STOPPING") === "1",
    reloading: said.get("RELOADING") === "1",
    stuck: said.get("WATCHDOG") === "trigger",
    status: said.get("STATUS")?.slice(0, status_chars_max) ?? null,
    extend_ms: extend !== undefined && /^\d{1,15}$/.test(extend) ? Number(extend) / 1000 : null,
  };
}
