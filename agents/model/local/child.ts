/** The process that holds a tier's model, `aios think MODEL THREADS THREADS_IDLE`: loads it, says so, and answers until its standard input ends. */

import { ModelInUse } from "../../../contracts/model/catalogue.ts";
import type { ChatErrorKind } from "../../../contracts/model/chat.ts";
import { think_methods, think_notifications, thinker_notifications } from "../../../contracts/model/think.ts";
import type { Threads } from "../../../wire/model-process/threads.ts";
import { yieldToService } from "../../../wire/model-process/yield.ts";
import type { Peer } from "../../../wire/peer.ts";
import { pipePeer } from "../../../wire/pipe.ts";
import { ChatError } from "../port.ts";
import { choose } from "./choose.ts";
import { converse } from "./converse.ts";
import { Engine } from "./engine.ts";
import { Turns } from "./turns.ts";

/** Where the processor is wanted, the rest of the system comes first. */
const nice = 5;

type ThinkPeer = Peer<typeof think_methods, typeof think_notifications, Record<never, never>, typeof thinker_notifications>;

/** The last three arguments: a `ModelInUse` as JSON, and how many threads compute usually and while nobody else works. */
export async function main(): Promise<void> {
  const [chosen, usual, idle] = process.argv.slice(-3);
  await runThink(ModelInUse.parse(JSON.parse(chosen ?? "")), { usual: Number(usual), idle: Number(idle) });
}

async function runThink(chosen: ModelInUse, threads: Threads): Promise<void> {
  yieldToService(nice);
  const begin_ms = performance.now();
  const loading = Engine.open(chosen, threads, (line) => process.stderr.write(`llama.cpp: ${line}\n`)).then((engine) => ({
    engine,
    turns: new Turns(engine),
  }));
  const open = new Map<number, AbortController>();
  const peer: ThinkPeer = pipePeer(Bun.stdin.stream(), Bun.stdout.writer(), {
    serves: {
      methods: think_methods,
      handlers: {
        choose: ({ id, request }) =>
          answered(open, id, async (signal) => {
            const { engine, turns } = await loading;
            return await turns.question(() => choose(engine, request, { signal }));
          }),
        chat: ({ id, request }) =>
          answered(open, id, async (signal) => {
            const { engine, turns } = await loading;
            return await converse(engine, turns, request, { signal, onText: (text) => peer.tell("delta", { id, text }) });
          }),
        alive: async () => ({}),
      },
    },
    hears: { notifications: think_notifications, listeners: { cancel: ({ id }) => open.get(id)?.abort() } },
    calls: {},
    tells: thinker_notifications,
    onClose: () => process.exit(0),
  });
  try {
    const { engine } = await loading;
    peer.tell("loaded", { model: engine.model_name, on: engine.on, threads, took_ms: performance.now() - begin_ms });
  } catch (error) {
    peer.tell("failed", { reason: (error instanceof Error ? error.message : String(error)).slice(0, 500) });
  }
}

type Answered<T> = { readonly answer: T } | { readonly failure: { readonly kind: ChatErrorKind; readonly message: string } };

async function answered<T>(open: Map<number, AbortController>, id: number, ask: (signal: AbortSignal) => Promise<T>): Promise<Answered<T>> {
  const controller = new AbortController();
  open.set(id, controller);
  try {
    return { answer: await ask(controller.signal) };
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    return { failure: { kind: error.kind, message: error.message.slice(0, 2000) } };
  } finally {
    open.delete(id);
  }
}
