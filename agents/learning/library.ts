/**
 * The playbooks that count now: those of the image, and the learned ones of the knowledge base, each with its stage. Each half
 * minute, or when it is told to, it looks whether a document was written since, and only then reads which there are; one that
 * cannot be read is said once, left out, and tried again.
 */

import { Learning } from "../../contracts/learning.ts";
import type { Playbook } from "../../contracts/playbook.ts";
import type { ToolAnswer } from "../../contracts/tool-answers.ts";
import type { Log } from "../../wire/log.ts";
import type { MemoryPeer } from "../loop/incidents.ts";
import { bundled_playbooks } from "../playbooks/index.ts";
import { loadPlaybooks } from "../playbooks/playbooks.ts";
import type { AskTool } from "../shared/ask-tool.ts";
import { folder, type Lesson, readDocument } from "./document.ts";

/** The document that says so. */
export interface Source {
  readonly id: string;
  readonly version: number;
  readonly time_ms: number;
  readonly text: string;
}

/** A playbook, and how far it is. */
export interface Known {
  readonly playbook: Playbook;
  readonly learning: Learning;
  /** The document that says so, and the version that was read; null: none, it is as it is in the image. */
  readonly document: Source | null;
  /** It is one of the image. */
  readonly bundled: boolean;
  /** A person took back what it was learned from. */
  readonly overridden: boolean;
}

/** Tries under another name, as they count now. */
export function carriedBy({ learning: { carried }, overridden }: Known): Learning["carried"] {
  return overridden ? { ...carried, worked: Math.max(0, carried.worked - 1) } : carried;
}

export interface LibraryPorts {
  readonly ask: AskTool;
  readonly memory: () => Pick<MemoryPeer, "call">;
  readonly bundled: readonly Playbook[];
  readonly warn: (sentence: string) => void;
}

const refresh_every_ms = 30_000;
const page = 100;
/** More documents are not read; nobody learns as much by himself. */
const documents_max = 500;
const why = "which playbooks were learned, and how far they are";
/** Who may say what the tactical tier tries: a tier that is taken over must not give another one its work. */
const author = /^(tier:tactical|person:.+)$/;

type Listing = ToolAnswer<"knowledge.list">["documents"][number];

interface Read extends Pick<Source, "version" | "time_ms" | "text"> {
  readonly lesson: Lesson | null;
}

/** As a tier has it: with the playbooks of the image; what is wrong is said in its log. */
export function openLibrary({
  ask,
  memory,
  log,
}: Pick<LibraryPorts, "ask" | "memory"> & { readonly log: Pick<Log, "error" | "warn"> }): Library {
  const { loaded, refused } = loadPlaybooks(bundled_playbooks);
  for (const sentence of refused) log.error(sentence);
  return new Library({ ask, memory, bundled: loaded, warn: (sentence) => log.warn(sentence) });
}

export class Library {
  readonly #ports: LibraryPorts;
  #read = new Map<string, Read>();
  #known: readonly Known[];
  #refused: readonly string[] = [];
  /** Decisions that a person took back. */
  #overridden: ReadonlySet<string> = new Set();
  #next_ms = 0;
  /** Of the knowledge base when all of it was read; null: not all could be. */
  #revision: number | null = null;

  constructor(ports: LibraryPorts) {
    this.#ports = ports;
    this.#known = merged(ports.bundled, new Map(), this.#overridden);
  }

  /** One sentence for each document that does not count, though it was meant to. */
  get refused(): readonly string[] {
    return this.#refused;
  }

  /** It is there, and cannot be read: nobody writes over what a person has to mend. */
  isRefused(document: string): boolean {
    return this.#refused.some((sentence) => sentence.startsWith(`reading the playbook "${document}" `));
  }

  all(): readonly Known[] {
    return this.#known;
  }

  find(name: string): Known | null {
    return this.#known.find(({ playbook }) => playbook.name === name) ?? null;
  }

  /** Decisions that playbooks were learned from. */
  learnedFrom(): string[] {
    return this.#known.flatMap(({ learning }) => learning.learned_from ?? []);
  }

  /** @param decisions of those that playbooks were learned from, what a person took back */
  knowOverridden(decisions: ReadonlySet<string>): void {
    this.#overridden = decisions;
    this.#known = this.#known.map((known) => ({ ...known, overridden: decisions.has(known.learning.learned_from ?? "") }));
  }

  /** Those that may be tried. */
  usable(): Playbook[] {
    return this.#known.filter(({ learning }) => learning.stage !== "retired").map(({ playbook }) => playbook);
  }

  /** The chance that it helps, before its own record: as likely as not, and what it did under another name (Laplace). */
  confidence(name: string): number {
    const known = this.find(name);
    const { tries, worked } = known === null ? { tries: 0, worked: 0 } : carriedBy(known);
    return (worked + 1) / (tries + 2);
  }

  /** Reads what changed, when it is time. @throws when the broker is away or does not answer */
  async refresh(now_ms: number, at_once = false): Promise<void> {
    if (!at_once && now_ms < this.#next_ms) return;
    // asked first: what is written while the rest is read is read the next time
    const { revision } = await this.#ports.memory().call("knowledge.revision", {});
    if (revision !== this.#revision) this.#revision = (await this.#readAll()) ? revision : null;
    this.#next_ms = now_ms + refresh_every_ms;
  }

  /** @returns whether all could be read */
  async #readAll(): Promise<boolean> {
    const read = new Map<string, Read>();
    const refused: string[] = [];
    for (const one of await this.#list()) {
      const before = this.#read.get(one.document);
      try {
        const same = before?.version === one.version;
        read.set(one.document, same ? before : await this.#look(one));
      } catch (error) {
        refused.push(
          `reading the playbook "${one.document}" (version ${one.version}) failed: ${error instanceof Error ? error.message : String(error)}; it does not count`,
        );
      }
    }
    for (const sentence of refused) if (!this.#refused.includes(sentence)) this.#ports.warn(sentence);
    this.#refused = refused;
    this.#read = read;
    this.#known = merged(this.#ports.bundled, read, this.#overridden);
    return refused.length === 0;
  }

  async #list() {
    const found: Listing[] = [];
    for (let offset = 0; offset < documents_max; offset += page) {
      const { documents, total } = await this.#ports.ask("knowledge.list", { prefix: folder, offset, limit: page }, why);
      found.push(...documents);
      if (found.length >= total || documents.length === 0) break;
    }
    return found;
  }

  async #look({ document, version, author: by, taint, time_ms }: Listing): Promise<Read> {
    const { text } = await this.#ports.ask("knowledge.show", { id: document, version }, why);
    const lesson = readDocument(text);
    if (lesson === null) return { version, time_ms, text, lesson };
    if (!author.test(by)) throw new Error(`"${by}" wrote it, and only the tactical tier and people say what is tried`);
    if (taint.length > 0 && !isHarmless(lesson)) throw new Error("text from outside is in it: a person has to read it and add it anew");
    return { version, time_ms, text, lesson };
  }
}

/**
 * Whether it counts though words of it have come from outside, too: everyday words of ours are in what services write, and in
 * what is remembered of that. Nothing in it may be able to carry such text then, but for what its subjects are called.
 */
function isHarmless({ playbook, learning }: Lesson): boolean {
  return playbook === null || learning.ours || learning.tainted_subject;
}

/** A document with a playbook of a name counts in place of the image's; of two documents the first by id. */
function merged(bundled: readonly Playbook[], read: ReadonlyMap<string, Read>, overridden: ReadonlySet<string>): Known[] {
  const known = new Map<string, Known>();
  for (const playbook of bundled)
    known.set(playbook.name, {
      playbook,
      learning: Learning.parse({ playbook: playbook.name, stage: "playbook" }),
      document: null,
      bundled: true,
      overridden: false,
    });
  for (const [id, { lesson, ...source }] of read) {
    if (lesson === null) continue;
    const { name } = lesson.playbook ?? { name: lesson.learning.playbook };
    const before = known.get(name);
    const playbook = lesson.playbook ?? before?.playbook;
    // of a playbook that no image has any more
    if (playbook === undefined || (before !== undefined && before.document !== null)) continue;
    const { learning } = lesson;
    known.set(name, {
      ...{ playbook, learning, document: { id, ...source }, bundled: lesson.playbook === null },
      overridden: overridden.has(learning.learned_from ?? ""),
    });
  }
  return [...known.values()];
}
