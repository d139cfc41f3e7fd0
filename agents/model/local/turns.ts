/**
 * Who computes when. All that computes does so here, one batch after the other. A question goes before all chats, which pause
 * for it; chats go on side by side, one token each in a batch, and what is left of it goes to prompts that are read.
 */

import { batch_tokens } from "../../../contracts/model/catalogue.ts";
import { ChatError } from "../port.ts";
import type { Engine, Reading } from "./engine.ts";
import type { Sequence } from "./sequences.ts";

/** Whether anybody still waits for it. */
export interface Job {
  readonly signal: AbortSignal;
}

/** A chat under way: what it wants read next, and what it makes of the result. */
export interface Conversation extends Job {
  readonly sequence: Sequence;
  /** What has to be read before the next token can be said; never empty. */
  readonly pending: readonly number[];
  /** @returns false when it is over */
  take(output: number): Promise<boolean>;
  /** It is over without `take` saying so. */
  fail(error: unknown): void;
  /** Called when it is over, in whatever way. */
  close(): void;
}

interface WaitingChat {
  readonly signal: AbortSignal;
  readonly begin: () => Promise<Conversation>;
  readonly fail: (error: unknown) => void;
}

export class Turns {
  readonly #engine: Engine;
  readonly #questions: (() => Promise<void>)[] = [];
  readonly #chats: WaitingChat[] = [];
  readonly #going: Conversation[] = [];
  #running = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Runs it as soon as the batch that is being computed is over. */
  question<T>(ask: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.#questions.push(async () => {
      const answer = ask();
      resolve(answer);
      await answer.catch(() => {});
    });
    this.#run();
    return promise;
  }

  chat(waiting: WaitingChat): void {
    this.#chats.push(waiting);
    this.#run();
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#loop().finally(() => {
      this.#running = false;
      if (this.#questions.length > 0 || this.#chats.length > 0) this.#run();
    });
  }

  async #loop(): Promise<void> {
    for (;;) {
      const question = this.#engine.sequences.idle > 0 ? this.#questions.shift() : undefined;
      if (question !== undefined) {
        await question();
        continue;
      }
      await this.#admit();
      if (this.#going.length === 0) return;
      await this.#batch();
    }
  }

  /** As many at once as there are sequences, but one, which is left to questions; where there is one only they take turns. */
  async #admit(): Promise<void> {
    for (;;) {
      const { idle } = this.#engine.sequences;
      const waiting = idle > 1 || this.#going.length === 0 ? this.#chats.shift() : undefined;
      if (waiting === undefined) return;
      try {
        ensureWanted(waiting);
        this.#going.push(await waiting.begin());
      } catch (error) {
        waiting.fail(error);
      }
    }
  }

  async #batch(): Promise<void> {
    const { readings, chats } = this.#planned();
    if (readings.length === 0) return;
    let outputs: (number | null)[];
    try {
      outputs = await this.#engine.read(readings);
    } catch (error) {
      for (const chat of chats) this.#end(chat, error);
      return;
    }
    for (const [at, chat] of chats.entries()) {
      const output = outputs[at] ?? null;
      try {
        ensureWanted(chat);
        if (output !== null && !(await chat.take(output))) this.#end(chat);
      } catch (error) {
        this.#end(chat, error);
      }
    }
  }

  /** Those that say something come first: one token each. */
  #planned(): { readings: Reading[]; chats: Conversation[] } {
    const readings: Reading[] = [];
    const chats: Conversation[] = [];
    let room = batch_tokens;
    for (const chat of this.#going.toSorted((a, b) => a.pending.length - b.pending.length)) {
      const tokens = chat.pending.slice(0, room);
      if (tokens.length === 0) break;
      readings.push({ sequence: chat.sequence, tokens, wants_result: tokens.length === chat.pending.length });
      chats.push(chat);
      room -= tokens.length;
    }
    return { readings, chats };
  }

  #end(chat: Conversation, error?: unknown): void {
    this.#going.splice(this.#going.indexOf(chat), 1);
    if (error !== undefined) chat.fail(error);
    chat.close();
  }
}

/** @throws {ChatError} `cancelled` */
function ensureWanted({ signal }: Job): void {
  if (signal.aborted) throw new ChatError("cancelled", "asking the model failed: it was cancelled");
}

/** Reads the rest of a prompt. @returns by which number what follows it is asked for */
export async function readPrompt(engine: Engine, sequence: Sequence, prompt: readonly number[], job: Job): Promise<number> {
  for (;;) {
    ensureWanted(job);
    const rest = prompt.slice(sequence.tokens.length, sequence.tokens.length + batch_tokens);
    const wants_result = sequence.tokens.length + rest.length === prompt.length;
    const [output] = await engine.read([{ sequence, tokens: rest, wants_result }]);
    if (wants_result && typeof output === "number") return output;
  }
}
