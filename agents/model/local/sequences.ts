/**
 * What the model has read already, kept so that it need not be read again: a few sequences of tokens in the context's memory.
 * A prompt takes the one that begins like it for the longest, and only what follows is read. So the stable parts of a system
 * prompt, which come first, are read once.
 */

export interface Sequence {
  readonly id: number;
  /** What is kept of it, in order. */
  tokens: number[];
  busy: boolean;
  /** For which of them was last used the longest ago. */
  used: number;
}

/** What the context can do with them. */
interface SequenceMemory {
  /** Forgets all from `from` on. @returns false when this model can forget all or nothing */
  cut(sequence: number, from: number): boolean;
  clear(sequence: number): void;
  copy(target: number, source: number): Promise<void>;
}

/** Copying costs about as much as reading so many tokens. */
const copy_worth_tokens = 32;

export class Sequences {
  readonly #all: readonly Sequence[];
  readonly #memory: SequenceMemory;
  #clock = 0;

  constructor(count: number, memory: SequenceMemory) {
    this.#all = Array.from({ length: count }, (_, id) => ({ id, tokens: [], busy: false, used: 0 }));
    this.#memory = memory;
  }

  get idle(): number {
    return this.#all.filter((one) => !one.busy).length;
  }

  /**
   * One that is idle, cut to what it has in common with the prompt; at least the last token of the prompt is left to read,
   * since only by reading it comes its result.
   * @throws when none is idle
   */
  async take(prompt: readonly number[]): Promise<Sequence> {
    const ranked = this.#all.map((one) => ({ one, common: commonLength(one.tokens, prompt) })).toSorted(better);
    const best = ranked[0];
    const free = ranked.find(({ one }) => !one.busy);
    if (best === undefined || free === undefined) throw new Error("taking a sequence failed: all are busy");
    const chosen = free.common < best.common ? free.one : (this.#spared(free.one, free.common) ?? free.one);
    chosen.busy = true;
    chosen.used = ++this.#clock;
    try {
      if (best.common >= commonLength(chosen.tokens, prompt) + copy_worth_tokens) await this.#copy(chosen, best.one);
      this.#cut(chosen, Math.min(commonLength(chosen.tokens, prompt), prompt.length - 1));
    } catch (error) {
      this.release(chosen);
      throw error;
    }
    return chosen;
  }

  release(sequence: Sequence): void {
    sequence.busy = false;
  }

  /** Nobody knows what is kept of it: after a failure in the middle. */
  forget(sequence: Sequence): void {
    this.#memory.clear(sequence.id);
    sequence.tokens = [];
  }

  /** Forgets all of a sequence from there on. @returns whether it could; otherwise all is forgotten */
  cutTo(sequence: Sequence, length: number): boolean {
    this.#cut(sequence, length);
    return sequence.tokens.length === length;
  }

  /** Where hardly anything is in common, the one that was unused for longest goes, not the one that happens to begin alike. */
  #spared(best: Sequence, common: number): Sequence | null {
    if (common >= copy_worth_tokens || best.tokens.length <= copy_worth_tokens) return null;
    const idle = this.#all.filter((one) => !one.busy);
    return idle.toSorted((a, b) => a.used - b.used)[0] ?? null;
  }

  async #copy(target: Sequence, source: Sequence): Promise<void> {
    this.forget(target);
    const tokens = [...source.tokens];
    await this.#memory.copy(target.id, source.id);
    target.tokens = tokens;
  }

  #cut(sequence: Sequence, length: number): void {
    if (length === sequence.tokens.length) return;
    if (length > 0 && this.#memory.cut(sequence.id, length)) sequence.tokens.length = length;
    else this.forget(sequence);
  }
}

interface Ranked {
  readonly one: Sequence;
  readonly common: number;
}

function better(a: Ranked, b: Ranked): number {
  return b.common - a.common || Number(a.one.busy) - Number(b.one.busy) || a.one.used - b.one.used;
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a[at] === b[at]) at += 1;
  return at;
}
