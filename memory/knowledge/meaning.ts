/**
 * Vectors of what a page is about, and of the sections of pages that explain. They are made in the background and kept by the
 * hash of what they are made from: an edit costs those that changed. What is to be made is told by the rows, so a kill costs
 * the batch in work.
 */

import type { Keeper } from "../keeper.ts";
import type { Embedder } from "../longterm/embedder.ts";
import { QueryVectors } from "../longterm/query-vector.ts";

const at_once = 16;
/** What the model reads of a text: about 256 tokens. */
const text_chars_max = 1200;
const retry_ms = 15_000;
/**
 * Runbooks and pages of tools are told apart by what they are about, which is their opening; their other sections are alike
 * (Verify, Undo, Answer), are found by word, and would cost four times as much.
 */
const has_meaning = `(s.place = 0 OR EXISTS (
  SELECT 1 FROM knowledge_documents d JOIN knowledge_versions v ON v.document = d.document AND v.version = d.version
  WHERE d.document = s.document AND v.kind NOT IN ('runbook', 'tool')))`;

interface MeaningOptions {
  readonly keeper: Keeper;
  readonly embedder: Embedder;
  readonly onTrouble: (text: string) => void;
}

interface Unmade {
  readonly sha256: string;
  readonly title: string;
  readonly heading: string;
  readonly text: string;
}

export class Meaning {
  readonly #options: MeaningOptions;
  readonly #queries: QueryVectors;
  #running: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;
  #trouble: string | null = null;

  constructor(options: MeaningOptions) {
    this.#options = options;
    this.#queries = new QueryVectors(options.embedder);
  }

  /** Documents may have changed. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#options.embedder.model === null) {
      this.#later();
      return;
    }
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when all are made, or it cannot go on. */
  async idle(): Promise<void> {
    await this.#running;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** The question as a vector; `note` says why there is none, or what is not made yet. */
  async of(query: string): Promise<{ readonly asked: { vector: Float32Array; model: string } | null; readonly note: string | null }> {
    const { keeper, embedder } = this.#options;
    const degradation = keeper.parts.longterm.vectors.degradation;
    if (degradation !== null) return { asked: null, note: degradation };
    const { vector, note } = await this.#queries.of(query);
    const { model } = embedder;
    if (vector === null || model === null) return { asked: null, note };
    const left = this.#left(model);
    const asked = { vector, model };
    return left === 0 ? { asked, note } : { asked, note: `${left} sections have no vector yet and are found by word alone` };
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped && (await this.#some())) await new Promise((resolve) => setImmediate(resolve));
      this.#trouble = null;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== this.#trouble) this.#options.onTrouble(`making vectors of documents stopped: ${text}; it is tried again`);
      this.#trouble = text;
      this.#later();
    }
  }

  #later(): void {
    if (this.#stopped || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.wake();
    }, retry_ms);
    this.#timer.unref();
  }

  /** @returns whether there may be more */
  async #some(): Promise<boolean> {
    const { keeper, embedder } = this.#options;
    const { model } = embedder;
    if (model === null || keeper.parts.longterm.vectors.degradation !== null) return false;
    const unmade = keeper.read(({ documents: { db } }) =>
      db
        .prepare<[string, number], Unmade>(
          `SELECT DISTINCT sha256, title, heading, substr(text, 1, ${text_chars_max}) AS text FROM knowledge_sections s
           WHERE ${has_meaning} AND NOT EXISTS (SELECT 1 FROM knowledge_vectors k WHERE k.sha256 = s.sha256 AND k.model = ?) LIMIT ?`,
        )
        .all(model, at_once),
    );
    if (unmade.length === 0) return false;
    const vectors = await embedder.embed(unmade.map(textOf), "background");
    keeper.write(({ documents: { db } }) => {
      const put = db.prepare("INSERT OR REPLACE INTO knowledge_vectors (sha256, model, vector) VALUES (?, ?, ?)");
      for (const [at, { sha256 }] of unmade.entries()) {
        const vector = vectors[at];
        if (vector !== undefined) put.run(sha256, model, Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength));
      }
    });
    return true;
  }

  #left(model: string): number {
    return this.#options.keeper.read(
      ({ documents: { db } }) =>
        db
          .prepare<[string], { n: number }>(
            `SELECT count(*) AS n FROM knowledge_sections s
             WHERE ${has_meaning} AND NOT EXISTS (SELECT 1 FROM knowledge_vectors k WHERE k.sha256 = s.sha256 AND k.model = ?)`,
          )
          .get(model)?.n ?? 0,
    );
  }
}

function textOf({ title, heading, text }: Unmade): string {
  return heading === "" ? `${title}. ${text}` : `${title}. ${heading}. ${text}`;
}
