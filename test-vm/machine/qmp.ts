/** QEMU's control socket (docs/interop/qmp-spec.txt in QEMU): one JSON message a line. */

import type { Socket } from "bun";
import { z } from "zod";

const Greeting = z.object({ QMP: z.object({ version: z.unknown() }) });
const Success = z.object({ return: z.unknown(), id: z.number() });
const Failure = z.object({ error: z.object({ class: z.string(), desc: z.string() }), id: z.number() });
const QmpEvent = z.object({ event: z.string(), data: z.record(z.string(), z.unknown()).default({}), timestamp: z.unknown() });
const Message = z.union([Greeting, Success, Failure, QmpEvent]);

export type QmpEvent = z.infer<typeof QmpEvent>;

interface OpenCommand {
  readonly name: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Milliseconds that QEMU may take to answer. */
const answer_limit_ms = 120_000;

export class Qmp {
  /** All that QEMU told since the connection was made. */
  readonly events: QmpEvent[] = [];
  readonly #open = new Map<number, OpenCommand>();
  #socket: Socket | null = null;
  #rest = "";
  #next_id = 1;

  /** Connects and leaves the negotiation mode. @throws when nothing listens at `path` */
  static async connect(path: string): Promise<Qmp> {
    const qmp = new Qmp();
    qmp.#socket = await Bun.connect({
      unix: path,
      socket: {
        data: (_, chunk) => qmp.#receive(chunk.toString("utf8")),
        close: () => qmp.#fail("QEMU closed the connection"),
        error: (_, error) => qmp.#fail(error.message),
      },
    });
    await qmp.execute("qmp_capabilities");
    return qmp;
  }

  /** @returns what the command returns, unparsed @throws with QEMU's own description */
  execute(name: string, values: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = this.#next_id++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#open.set(id, { name, resolve, reject });
    const sent = this.#socket?.write(`${JSON.stringify({ execute: name, arguments: values, id })}\n`) ?? -1;
    if (sent < 0) this.#fail("the connection is closed");
    const timer = setTimeout(() => this.#settle(id)?.reject(new Error(failed(name, "no answer in time"))), answer_limit_ms);
    return promise.finally(() => clearTimeout(timer));
  }

  /** How many events of that name came so far. */
  count(event: string): number {
    return this.events.filter((each) => each.event === event).length;
  }

  close(): void {
    this.#socket?.end();
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") this.#take(Message.parse(JSON.parse(line)));
  }

  #take(message: z.infer<typeof Message>): void {
    if ("event" in message) this.events.push(message);
    else if ("error" in message) {
      const open = this.#settle(message.id);
      open?.reject(new Error(failed(open.name, message.error.desc)));
    } else if ("return" in message) this.#settle(message.id)?.resolve(message.return);
  }

  #settle(id: number): OpenCommand | undefined {
    const open = this.#open.get(id);
    this.#open.delete(id);
    return open;
  }

  #fail(cause: string): void {
    for (const [id, open] of this.#open) {
      this.#open.delete(id);
      open.reject(new Error(failed(open.name, cause)));
    }
  }
}

function failed(name: string, cause: string): string {
  return `executing "${name}" in QEMU failed: ${cause}`;
}
