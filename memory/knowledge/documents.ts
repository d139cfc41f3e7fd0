/** Documents as rows. Every method is one statement, or runs inside the caller's transaction. */

import { createHash } from "node:crypto";
import type Sqlite from "better-sqlite3";
import { type Change, type DocumentKind, FrontMatter, type Listed, type Shown, Version } from "../../contracts/memory/knowledge.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { RpcError } from "../../wire/peer.ts";
import type { Document } from "./document.ts";

const documents_max = 5000;
const versions_max = 10_000;
/** Sections that are lists of names: they would be found for every word of those. */
const not_searched = new Set(["Named in"]);

export interface Head {
  readonly document: string;
  /** The version that counts; null: withdrawn. */
  readonly version: number | null;
  /** The newest that came from an image. */
  readonly shipped_version: number | null;
  /** The image that runs has it. */
  readonly in_image: boolean;
}

export interface Row {
  readonly document: string;
  readonly version: number;
  readonly origin: Version["origin"];
  readonly sha256: string;
  readonly bytes: number;
  readonly title: string;
  readonly kind: DocumentKind;
  readonly front: string;
  readonly text: string;
  readonly author: Version["author"];
  readonly reason: string;
  readonly call: string | null;
  readonly taint: string;
  readonly time_ms: number;
  readonly brings_back: number | null;
}

/** Who writes, and why. */
export interface Writing {
  readonly author: Version["author"];
  readonly reason: string;
  readonly call: string | null;
  readonly taint: readonly string[];
  readonly time_ms: number;
}

/** A text that was parsed. */
export interface Draft {
  readonly text: string;
  readonly document: Document;
}

interface Fresh extends Writing {
  readonly origin: Version["origin"];
  readonly brings_back: number | null;
}

export class Documents {
  readonly #db: Sqlite.Database;
  readonly #head: Sqlite.Statement<
    [string],
    { document: string; version: number | null; shipped_version: number | null; in_image: number }
  >;
  readonly #version: Sqlite.Statement<[string, number], Row>;
  readonly #revision: Sqlite.Statement<[], { seq: number | null }>;
  readonly #insert_section: Sqlite.Statement<[string, number, string, string, string, string]>;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.#head = db.prepare("SELECT * FROM knowledge_documents WHERE document = ?");
    this.#version = db.prepare("SELECT * FROM knowledge_versions WHERE document = ? AND version = ?");
    this.#revision = db.prepare("SELECT max(seq) AS seq FROM knowledge_versions");
    this.#insert_section = db.prepare(
      "INSERT INTO knowledge_sections (document, place, title, heading, text, sha256) VALUES (?, ?, ?, ?, ?, ?)",
    );
  }

  get db(): Sqlite.Database {
    return this.#db;
  }

  head(id: string): Head | null {
    const row = this.#head.get(id);
    return row === undefined ? null : { ...row, in_image: row.in_image === 1 };
  }

  /** The number of the version that was written last, of any document. */
  revision(): number {
    return this.#revision.get()?.seq ?? 0;
  }

  heads(): Head[] {
    const all = this.#db.prepare<[], Omit<Head, "in_image"> & { in_image: number }>("SELECT * FROM knowledge_documents ORDER BY document");
    return all.all().map((row) => ({ ...row, in_image: row.in_image === 1 }));
  }

  version(id: string, version: number | null): Row | null {
    return version === null ? null : (this.#version.get(id, version) ?? null);
  }

  current(id: string): Row | null {
    return this.version(id, this.head(id)?.version ?? null);
  }

  add(id: string, draft: Draft, writing: Writing): Version {
    const head = this.head(id);
    const about = `adding the document "${id}" failed`;
    if (head?.version != null) throw new RpcError(rpc_error.conflict, `${about}: there is one of this id; change it with edit`);
    if (head === null && this.#count() >= documents_max) throw new RpcError(rpc_error.conflict, `${about}: ${documents_max} are the most`);
    return this.#put(id, draft, { ...writing, origin: "written", brings_back: null });
  }

  /** @param parse makes a draft of a text of ours that is kept already */
  edit(id: string, change: Exclude<Change, { text: string }> | Draft, expected: number | null, writing: Writing, parse: Parse): Version {
    const about = `changing the document "${id}" failed`;
    const head = this.head(id);
    if (head === null) throw new RpcError(rpc_error.not_found, `${about}: there is none of this id; list shows those that there are`);
    if (expected !== null && head.version !== expected)
      throw new RpcError(rpc_error.conflict, `${about}: version ${head.version ?? "none"} counts now, not ${expected}; look at it first`);
    if ("text" in change) {
      if (head.version === null) throw new RpcError(rpc_error.conflict, `${about}: it was withdrawn; bring a version back, or add it`);
      const now = this.version(id, head.version);
      // the same once more, after an answer that did not come
      if (now !== null && now.sha256 === hashOf(change.text) && now.call === writing.call && writing.call !== null) return this.#told(now);
      return this.#put(id, change, { ...writing, origin: "written", brings_back: null });
    }
    if ("withdraw" in change) return this.#withdraw(id, head, writing);
    const wanted = "reset" in change ? (head.in_image ? head.shipped_version : null) : change.version;
    const row = this.version(id, wanted);
    if (row === null) {
      const why = "reset" in change ? "the image does not have it" : `it has no version ${change.version}; history shows them`;
      throw new RpcError(rpc_error.not_found, `${about}: ${why}`);
    }
    const taint = JSON.parse(row.taint) as string[];
    return this.#put(id, parse(row), { ...writing, taint, origin: "brought-back", brings_back: row.version });
  }

  /** What an image has: a new version, which counts unless the document was edited here. */
  ship(id: string, draft: Draft, time_ms: number): void {
    const head = this.head(id);
    const edited = head !== null && (head.version === null || this.isEdited(head));
    const writing: Fresh = {
      ...{ author: "image", reason: "from the image", call: null, taint: [], time_ms, origin: "shipped", brings_back: null },
    };
    const { version } = this.#insert(id, draft, writing);
    this.#setHead({ document: id, version: edited ? (head?.version ?? null) : version, shipped_version: version, in_image: true });
    if (!edited) this.#index(id, draft);
  }

  /** The image has it, as it was; or it has it no longer: then it counts only where it was edited. */
  inImage(head: Head, in_image: boolean): void {
    const gone = !in_image && head.version !== null && !this.isEdited(head);
    this.#setHead({ ...head, in_image, version: gone ? null : head.version });
    if (gone) this.#unindex(head.document);
  }

  /** It counts in place of what an image has. */
  isEdited({ document, version, shipped_version }: Head): boolean {
    const [now, shipped] = [this.version(document, version), this.version(document, shipped_version)];
    return now !== null && now.sha256 !== shipped?.sha256;
  }

  history(id: string, before: number | null, limit: number): { versions: Version[]; total: number } {
    const rows = this.#db
      .prepare<[string, number, number], Row>(
        "SELECT * FROM knowledge_versions WHERE document = ? AND version < ? ORDER BY version DESC LIMIT ?",
      )
      .all(id, before ?? Number.MAX_SAFE_INTEGER, limit);
    return { versions: rows.map((row) => this.#told(row)), total: this.#versions(id) };
  }

  listed(row: Row, head: Head): Listed {
    const { summary, applies_to, tools } = frontOf(row);
    const overrides = head.in_image && this.isEdited(head);
    return { ...this.#told(row), summary, applies_to, tools, shipped: head.in_image, overrides, versions: this.#versions(row.document) };
  }

  list(kinds: readonly DocumentKind[] | null, prefix: string, offset: number, limit: number): { documents: Listed[]; total: number } {
    const wanted = this.heads().flatMap((head) => {
      if (head.version === null || !head.document.startsWith(prefix)) return [];
      const row = this.version(head.document, head.version);
      return row === null || (kinds !== null && !kinds.includes(row.kind)) ? [] : [{ row, head }];
    });
    return { documents: wanted.slice(offset, offset + limit).map(({ row, head }) => this.listed(row, head)), total: wanted.length };
  }

  shown(row: Row, head: Head, text: string, sections: readonly string[]): Shown {
    return { document: this.listed(row, head), front: frontOf(row), text, sections: [...sections] };
  }

  #withdraw(id: string, head: Head, writing: Writing): Version {
    const now = this.version(id, head.version);
    if (now === null) {
      const last = this.version(id, this.#versions(id));
      if (last !== null && last.origin === "withdrawn") return this.#told(last);
      throw new RpcError(rpc_error.conflict, `withdrawing the document "${id}" failed: none of its versions counts`);
    }
    const taint = JSON.parse(now.taint) as string[];
    const row = this.#insertRow(now, id, { ...writing, taint, origin: "withdrawn", brings_back: null });
    this.#setHead({ ...head, version: null });
    this.#unindex(id);
    return this.#told(row);
  }

  #put(id: string, draft: Draft, writing: Fresh): Version {
    const row = this.#insert(id, draft, writing);
    const head = this.head(id) ?? { document: id, version: null, shipped_version: null, in_image: false };
    this.#setHead({ ...head, version: row.version });
    this.#index(id, draft);
    return this.#told(row);
  }

  #insert(id: string, { text, document }: Draft, writing: Fresh): Row {
    const { title, kind } = document.front;
    const front = JSON.stringify(document.front);
    return this.#insertRow({ sha256: hashOf(text), bytes: Buffer.byteLength(text), title, kind, front, text }, id, writing);
  }

  #insertRow(content: Pick<Row, "sha256" | "bytes" | "title" | "kind" | "front" | "text">, id: string, writing: Fresh): Row {
    const version = this.#versions(id) + 1;
    if (version > versions_max)
      throw new RpcError(rpc_error.conflict, `changing the document "${id}" failed: it has ${versions_max} versions; begin another one`);
    const { sha256, bytes, title, kind, front, text } = content;
    const row: Row = {
      ...{ sha256, bytes, title, kind, front, text },
      ...writing,
      document: id,
      version,
      taint: JSON.stringify(writing.taint),
    };
    this.#db
      .prepare<[Row]>(
        `INSERT INTO knowledge_versions
           (document, version, origin, sha256, bytes, title, kind, front, text, author, reason, call, taint, time_ms, brings_back)
         VALUES
           (@document, @version, @origin, @sha256, @bytes, @title, @kind, @front, @text, @author, @reason, @call, @taint, @time_ms, @brings_back)`,
      )
      .run(row);
    return row;
  }

  #setHead({ document, version, shipped_version, in_image }: Head): void {
    this.#db
      .prepare("INSERT OR REPLACE INTO knowledge_documents (document, version, shipped_version, in_image) VALUES (?, ?, ?, ?)")
      .run(document, version, shipped_version, in_image ? 1 : 0);
  }

  #index(id: string, { document: { front, sections } }: Draft): void {
    this.#unindex(id);
    sections.forEach(({ heading, text }, place) => {
      if (not_searched.has(heading)) return;
      this.#insert_section.run(id, place, front.title, heading, text, hashOf(`${front.title}\n${heading}\n${text}`));
    });
  }

  #unindex(id: string): void {
    this.#db.prepare("DELETE FROM knowledge_sections WHERE document = ?").run(id);
  }

  #told({ front: _front, text: _text, ...row }: Row): Version {
    const { sha256, bytes, title, kind, origin, author, reason, call, time_ms, brings_back, document, version } = row;
    return Version.parse({
      ...{ document, version, origin, sha256, bytes, title, kind, author, reason, call, time_ms, brings_back },
      current: this.head(document)?.version === version,
      taint: JSON.parse(row.taint),
    });
  }

  #versions(id: string): number {
    const row = this.#db
      .prepare<[string], { n: number | null }>("SELECT max(version) AS n FROM knowledge_versions WHERE document = ?")
      .get(id);
    return row?.n ?? 0;
  }

  #count(): number {
    return this.#db.prepare<[], { n: number }>("SELECT count(*) AS n FROM knowledge_documents").get()?.n ?? 0;
  }
}

type Parse = (row: Row) => Draft;

function frontOf({ front }: Pick<Row, "front">): FrontMatter {
  return FrontMatter.parse(JSON.parse(front));
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
