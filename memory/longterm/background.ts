/**
 * Work that nobody waits for: events and decisions of an older schema become memories, and texts get their vectors. What is
 * to be done is always told by the rows themselves, so a kill at any moment costs at most the batch in work. It goes on one
 * batch at a time, so that everything else is answered in between.
 */

import type { Keeper } from "../keeper.ts";
import type { Embedder } from "./embedder.ts";

interface BackgroundOptions {
  readonly keeper: Keeper;
  readonly embedder: Embedder;
  readonly onTrouble: (text: string) => void;
}

const embedded_at_once = 32;
const carried_at_once = 500;
/** After trouble, and to see whether there is a model by now. */
const retry_ms = 15_000;
/** A text that fails so often while the model works gets no vector. */
const attempts_max = 3;
const failing_max = 1000;

type Progress = "more" | "done";
interface ToEmbed {
  readonly id: number;
  readonly text: string | null;
}

export class Background {
  readonly #options: BackgroundOptions;
  /** Attempts on texts that failed alone. */
  readonly #failing = new Map<number, number>();
  #running: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;
  #again = false;
  #trouble: string | null = null;

  constructor(options: BackgroundOptions) {
    this.#options = options;
  }

  /** What does not go on and why, or null. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is in work and nothing is left, or it cannot go on. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        while (!this.#stopped && (await this.#step()) === "more") await turn();
      }
      this.#trouble = null;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== this.#trouble) this.#options.onTrouble(`making vectors of memories stopped: ${text}; it is tried again`);
      this.#trouble = text;
    } finally {
      this.#running = null;
      this.#lookAgainLater();
    }
  }

  #lookAgainLater(): void {
    const { model } = this.#options.embedder;
    if (this.#stopped || this.#timer !== null || (this.#trouble === null && model !== null)) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.wake();
    }, retry_ms);
    this.#timer.unref();
  }

  async #step(): Promise<Progress> {
    const { keeper, embedder } = this.#options;
    if (keeper.read(({ longterm }) => longterm.carryOverLeft()) > 0) {
      keeper.write(({ longterm }) => longterm.carryOver(carried_at_once));
      return "more";
    }
    const { model, dimensions } = embedder;
    if (model === null || keeper.parts.longterm.vectors.degradation !== null) return "done";
    if (!keeper.parts.longterm.vectors.isBy(model, dimensions)) keeper.write(({ longterm }) => longterm.vectors.begin(model, dimensions));
    const texts = keeper.read(({ longterm }) => longterm.toEmbed(embedded_at_once));
    if (texts.length === 0) return "done";
    await this.#embed(texts, model);
    return "more";
  }

  async #embed(texts: readonly ToEmbed[], model: string): Promise<void> {
    const lost = texts.filter(({ text }) => text === null);
    const whole = texts.filter(({ text }) => text !== null);
    const vectors = await this.#vectorsOf(whole);
    this.#options.keeper.write(({ longterm }) => {
      // damage may have put another database in its place, or another model is used by now
      if (longterm.vectors.model !== model) return;
      for (const { id } of lost) longterm.vectors.put(id, null);
      for (const [id, vector] of vectors) longterm.vectors.put(id, vector);
    });
  }

  /** Together; when that fails, one by one, so that one text cannot hold up the others. @throws when none can be embedded */
  async #vectorsOf(texts: readonly ToEmbed[]): Promise<Map<number, Float32Array | null>> {
    const { embedder } = this.#options;
    const made = new Map<number, Float32Array | null>();
    const embed = async (some: readonly ToEmbed[]): Promise<void> => {
      const vectors = await embedder.embed(
        some.map(({ text }) => text ?? ""),
        "background",
      );
      for (const [at, { id }] of some.entries()) made.set(id, vectors[at] ?? null);
    };
    try {
      if (texts.length > 0) await embed(texts);
      return made;
    } catch (error) {
      const failed: ToEmbed[] = [];
      for (const one of texts) await embed([one]).catch(() => failed.push(one));
      if (made.size === 0 && !(await this.#answers())) throw error;
      for (const { id } of failed) if (this.#givenUp(id)) made.set(id, null);
      return made;
    }
  }

  /** Whether the model works at all: then it is the text. */
  async #answers(): Promise<boolean> {
    return await this.#options.embedder.embed(["memory"], "background").then(
      () => true,
      () => false,
    );
  }

  #givenUp(id: number): boolean {
    if (this.#failing.size >= failing_max) this.#failing.clear();
    const attempts = (this.#failing.get(id) ?? 0) + 1;
    this.#failing.set(id, attempts);
    return attempts >= attempts_max;
  }
}

/** Lets everything that waits be answered. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
