/**
 * The documents of the image, brought into the database: at the start, and whenever another database is in use (damage, a
 * restore). What has not changed is known by its hash and not read as a document.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Keeper } from "../keeper.ts";
import { first_file } from "../store/first.ts";
import { type Documents, type Draft, hashOf } from "./documents.ts";
import { putVectors } from "./shipped-vectors.ts";

const files_max = 2000;
const at_once = 8;
const retry_ms = 30_000;

export class Shipped {
  readonly #folder: string;
  readonly #now: () => number;
  /** Databases that have them. */
  readonly #brought = new WeakSet<Documents>();
  #bringing: Promise<void> | null = null;
  #failed_ms = Number.NEGATIVE_INFINITY;
  #note: string | null = null;

  /** @param now milliseconds since 1970, which its versions are said to be from */
  constructor(folder: string, now: () => number = Date.now) {
    this.#folder = folder;
    this.#now = now;
  }

  /** What of the image is not there and why, or null. */
  get note(): string | null {
    return this.#note;
  }

  /** Never throws: what is in the database can be asked for in any case. */
  async bring(keeper: Keeper): Promise<void> {
    if (this.#brought.has(keeper.parts.documents) || performance.now() - this.#failed_ms < retry_ms) return;
    this.#bringing ??= this.#bring(keeper).finally(() => {
      this.#bringing = null;
    });
    await this.#bringing;
  }

  async #bring(keeper: Keeper): Promise<void> {
    try {
      const files = readFolder(this.#folder);
      if (files.size === 0) throw new Error(`there is none in "${this.#folder}"`);
      const vectors = this.#putVectors(keeper);
      const fresh = keeper.read(({ documents }) => changed(files, documents));
      const bad = await shipAll(fresh, keeper, this.#now());
      keeper.write(({ documents }) => {
        for (const head of documents.heads())
          if (head.in_image !== files.has(head.document)) documents.inImage(head, files.has(head.document));
      });
      this.#brought.add(keeper.parts.documents);
      const documents = bad.length === 0 ? [] : [`documents of the image that are none: ${bad.join("; ")}`];
      this.#note = [...documents, ...vectors].join("; ").slice(0, 500) || null;
    } catch (error) {
      this.#failed_ms = performance.now();
      this.#note = `indexing the documents of the image failed: ${messageOf(error)}; what was indexed before is there`.slice(0, 500);
    }
  }

  /** Before the documents, whose vectors would be made anew otherwise. @returns what is wrong with them: then they are */
  #putVectors(keeper: Keeper): string[] {
    try {
      keeper.write(({ documents }) => putVectors(join(this.#folder, first_file), documents));
      return [];
    } catch (error) {
      return [`the vectors of the image cannot be read and are made anew: ${messageOf(error)}`];
    }
  }
}

/** A few at a time, each durable by itself: everything else is answered in between. @returns what is no document, and why */
async function shipAll(fresh: readonly (readonly [string, string])[], keeper: Keeper, time_ms: number): Promise<string[]> {
  const bad: string[] = [];
  if (fresh.length === 0) return bad;
  const { parseDocumentOf } = await import("./document.ts"); // the parser of YAML is only paid for when there is something to parse
  for (let at = 0; at < fresh.length; at += at_once) {
    const drafts: [string, Draft][] = [];
    for (const [id, text] of fresh.slice(at, at + at_once)) {
      const parsed = parseDocumentOf(id, text);
      if ("problems" in parsed) bad.push(`"${id}": ${parsed.problems.join(", ")}`);
      else drafts.push([id, { text, document: parsed.document }]);
    }
    keeper.write(({ documents }) => {
      for (const [id, draft] of drafts) documents.ship(id, draft, time_ms);
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return bad;
}

/** Those whose newest version of an image is another one. */
function changed(files: ReadonlyMap<string, string>, documents: Documents): [string, string][] {
  return [...files].filter(([id, text]) => {
    const shipped_version = documents.head(id)?.shipped_version ?? null;
    return documents.version(id, shipped_version)?.sha256 !== hashOf(text);
  });
}

/** Id → text. */
export function readFolder(folder: string): ReadonlyMap<string, string> {
  if (!existsSync(folder)) return new Map();
  const names = [...new Bun.Glob("*/*.md").scanSync({ cwd: folder })].sort().slice(0, files_max);
  return new Map(names.map((name) => [name.slice(0, -".md".length), readFileSync(join(folder, name), "utf8")]));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
