/** Newline-delimited JSON to a reader who may be slow. What he does not read is held up to a limit, then he is let go. */

/** Bytes held for one reader beyond the backlog. */
export const held_bytes_max = 1024 * 1024;
/** Milliseconds between the empty lines that show a quiet reader that the stream lives. */
const keepalive_ms = 15_000;

export interface Feed<T> {
  /** Written first, as fast as it is read. */
  readonly backlog: readonly T[];
  /** Starts the live part, and gives what ends it; `end` says that nothing comes any more. Null: the stream ends after the backlog. */
  readonly live: ((push: (item: T) => void, end: () => void) => () => void) | null;
  /** Without `live`: the next piece of a backlog that is too long to be held at once; empty when there is no more. */
  readonly more?: () => Promise<readonly T[]>;
}

export interface StreamEnd {
  readonly reason: "end" | "reader-left" | "reader-slow" | "failed";
  readonly detail: string;
}

const encoder = new TextEncoder();
// The first byte sends the header: a quiet stream must not look like a server that does not answer.
const blank = encoder.encode("\n");

/**
 * @param line makes one line of an item, or throws: then the stream breaks off
 * @param onEnd called once
 */
export function ndjson<T>(feed: Feed<T>, line: (item: T) => string, onEnd: (end: StreamEnd) => void): ReadableStream<Uint8Array> {
  const held: Uint8Array[] = [];
  let held_bytes = 0;
  let backlog = feed.backlog;
  let next = 0;
  let more = feed.more;
  let open = true;
  let live = feed.live !== null;
  let stopLive = (): void => {};

  const finish = (end: StreamEnd): void => {
    if (!open) return;
    open = false;
    stopLive();
    held.length = 0;
    onEnd(end);
  };

  const pump = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    while (open && (controller.desiredSize ?? 0) > 0) {
      const item = backlog[next];
      if (item !== undefined) {
        next += 1;
        controller.enqueue(encoder.encode(`${line(item)}\n`));
        continue;
      }
      const chunk = held.shift();
      if (chunk === undefined) break;
      held_bytes -= chunk.length;
      controller.enqueue(chunk);
    }
    if (!open || live || more !== undefined || next < backlog.length) return;
    finish({ reason: "end", detail: "" });
    controller.close();
  };

  const guarded = (controller: ReadableStreamDefaultController<Uint8Array>, work: () => void): void => {
    try {
      if (open) work();
    } catch (error) {
      finish({ reason: "failed", detail: error instanceof Error ? error.message : String(error) });
      controller.error(error);
    }
  };

  /** Asks for the next piece when the last has been written. */
  const fetch = async (): Promise<void> => {
    if (more === undefined || next < backlog.length) return;
    backlog = await more();
    next = 0;
    if (backlog.length === 0) more = undefined;
  };

  const hold = (controller: ReadableStreamDefaultController<Uint8Array>, chunk: Uint8Array): void => {
    held.push(chunk);
    held_bytes += chunk.length;
    pump(controller);
    if (held_bytes <= held_bytes_max) return;
    finish({ reason: "reader-slow", detail: `${held_bytes} bytes were left unread` });
    controller.error(new Error("the reader does not read"));
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (feed.live === null) return;
        controller.enqueue(blank);
        const timer = setInterval(() => guarded(controller, () => hold(controller, blank)), keepalive_ms);
        const push = (item: T): void => guarded(controller, () => hold(controller, encoder.encode(`${line(item)}\n`)));
        const stop = feed.live(push, () => {
          live = false;
          guarded(controller, () => pump(controller));
        });
        stopLive = () => {
          clearInterval(timer);
          stop();
        };
        if (!open) stopLive(); // it ended while it began
      },
      async pull(controller) {
        try {
          await fetch();
        } catch (error) {
          return guarded(controller, () => {
            throw error;
          });
        }
        guarded(controller, () => pump(controller));
      },
      cancel: () => finish({ reason: "reader-left", detail: "the reader closed the stream" }),
    },
    { highWaterMark: 64 * 1024, size: (chunk) => chunk?.byteLength ?? 0 },
  );
}
