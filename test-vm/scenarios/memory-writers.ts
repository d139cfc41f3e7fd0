/** What a client keeps writing into memory through console and broker while the power fails, and what of it must be there. */

import { hash } from "node:crypto";
import { join } from "node:path";
import { Keeper } from "../../memory/keeper.ts";
import { faultsIn } from "../../memory/upkeep/backup/database.ts";
import { openReadOnly } from "../../wire/database.ts";
import type { Aiosctl } from "./aiosctl.ts";

const page = (n: number): string =>
  `---\ntitle: Try ${n}\nkind: playbook\nsummary: What try ${n} taught.\n---\n## Steps\n1. Wait for ${"more ".repeat(n % 40)}power.\n`;
const recalled_max = 50;

/** It was not acknowledged, and nothing is wrong: an emulated machine beside other work is slower than its callers are patient. */
function wasSlow(error: unknown): boolean {
  return error instanceof Error && error.message.includes("no answer within");
}

export class MemoryWriters {
  readonly #aiosctl: Aiosctl;
  #number = 0;
  #over = false;
  #working: Promise<unknown> = Promise.resolve();
  /** Acknowledged: memories by id with their text, documents by id with the hash of theirs. */
  readonly notes = new Map<string, string>();
  readonly documents = new Map<string, string>();

  constructor(aiosctl: Aiosctl) {
    this.#aiosctl = aiosctl;
  }

  get acknowledged(): number {
    return this.notes.size + this.documents.size;
  }

  /** Two at once, until `stop`. */
  start(): void {
    this.#over = false;
    this.#working = Promise.all([this.#until(() => this.#note()), this.#until(() => this.#document())]);
    // told by `ended`
    this.#working.catch(() => {});
  }

  /** Before the power goes: what fails from now on may. */
  powerGoes(): void {
    this.#over = true;
  }

  /** @throws what went wrong while there was power */
  async ended(): Promise<void> {
    await this.#working;
  }

  async #until(write: () => Promise<void>): Promise<void> {
    while (!this.#over) {
      try {
        await write();
      } catch (error) {
        if (!this.#over && !wasSlow(error)) throw error;
      }
    }
  }

  async #note(): Promise<void> {
    const text = `note ${this.#number++}: the power may go at any moment`;
    const { structuredContent } = await this.#aiosctl.done("memory.store", { text });
    this.notes.set(String(structuredContent?.["id"]), text);
  }

  async #document(): Promise<void> {
    const number = this.#number++;
    const id = `playbooks/try-${number}`;
    const text = page(number);
    await this.#aiosctl.done("knowledge.add", { id, text, reason: "a scenario" });
    this.documents.set(id, hash("sha256", text));
  }

  /** Asks the running system. @returns what it does not have, of the newest of each */
  async missing(): Promise<string[]> {
    const ids = [...this.notes.keys()].slice(-recalled_max);
    const { structuredContent } = await this.#aiosctl.done("memory.recall", { ids });
    const gone = ids.filter((id) => !JSON.stringify(structuredContent?.["memories"]).includes(`"${id}"`));
    const [id, sha256] = [...this.documents].at(-1) ?? [];
    if (id === undefined) return gone;
    const shown = await this.#aiosctl.done("knowledge.show", { id });
    const text = shown.structuredContent?.["text"];
    return typeof text === "string" && hash("sha256", text) === sha256 ? gone : [...gone, id];
  }

  /** @param folder memory's, as it was on the disk. @returns all that is wrong with it */
  faultsIn(folder: string): string[] {
    const keeper = new Keeper(folder);
    try {
      const { longterm, documents } = keeper.parts;
      const texts = [...this.notes].filter(([id, text]) => longterm.recall([id])[0]?.text !== text).map(([id]) => id);
      const pages = [...this.documents].filter(([id, sha256]) => hash("sha256", documents.version(id, 1)?.text ?? "") !== sha256);
      const said = keeper.degradation === null ? [] : [keeper.degradation];
      const db = openReadOnly(join(folder, "memory.db"));
      const damage = faultsIn(db);
      db.close();
      return [...said, ...damage, ...longterm.check(), ...texts, ...pages.map(([id]) => id)];
    } finally {
      keeper.close();
    }
  }
}
