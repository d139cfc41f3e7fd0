/** Knowledge, as it is asked over the socket. */

import type { knowledge_methods, Version } from "../../contracts/memory/knowledge.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { Keeper } from "../keeper.ts";
import type { Draft, Row, Writing } from "./documents.ts";
import { find } from "./find.ts";
import type { Meaning } from "./meaning.ts";
import type { Shipped } from "./shipped.ts";

interface KnowledgeServing {
  readonly keeper: Keeper;
  /** The documents of the image. */
  readonly shipped: Shipped;
  readonly meaning: Meaning;
}

export function knowledgeHandlers({ keeper, shipped, meaning }: KnowledgeServing): Handlers<typeof knowledge_methods> {
  const written = (version: Version): Version => {
    meaning.wake();
    return version;
  };
  return {
    async "knowledge.add"({ id, text, ...by }) {
      const draft = await draftOf(`adding the document "${id}" failed`, id, text);
      await shipped.bring(keeper);
      return written(await keeper.share(({ documents }) => documents.add(id, draft, writingOf(by))));
    },
    async "knowledge.edit"({ id, change, expected, ...by }) {
      const about = `changing the document "${id}" failed`;
      const wish = "text" in change ? await draftOf(about, id, change.text) : change;
      const { parseText } = await import("./document.ts");
      await shipped.bring(keeper);
      const parse = (row: Row): Draft => {
        const parsed = parseText(row.text);
        if ("problems" in parsed)
          throw new RpcError(
            rpc_error.conflict,
            `${about}: this version of the system cannot read its version ${row.version}: ${parsed.problems.join("; ")}`,
          );
        return { text: row.text, document: parsed.document };
      };
      return written(await keeper.share(({ documents }) => documents.edit(id, wish, expected, writingOf(by), parse)));
    },
    async "knowledge.search"({ query, mode, filter, limit }) {
      const begin_ms = performance.now();
      await shipped.bring(keeper);
      const { asked, note } = mode === "words" ? { asked: null, note: null } : await meaning.of(query);
      const words = mode !== "meaning" || asked === null;
      const found = keeper.read(({ documents }) => find(documents.db, { query, filter, limit, words, meaning: asked }));
      const how = asked === null ? ("words" as const) : mode;
      return { found, mode: how, note: notesOf([shipped.note, note]), took_ms: performance.now() - begin_ms };
    },
    async "knowledge.show"({ id, version, section }) {
      await shipped.bring(keeper);
      const { parseText } = await import("./document.ts");
      return keeper.read(({ documents }) => {
        const head = documents.head(id);
        const row = head === null ? null : documents.version(id, version ?? head.version);
        if (head === null || row === null) return null;
        const parsed = parseText(row.text);
        const sections = "document" in parsed ? parsed.document.sections : [];
        const headings = sections.map(({ heading }) => heading).filter((heading) => heading !== "");
        if (section === null) return documents.shown(row, head, row.text, headings);
        const found = sections.find(({ heading }) => heading.toLowerCase() === section.toLowerCase());
        return found === undefined ? null : documents.shown(row, head, found.text, headings);
      });
    },
    async "knowledge.list"({ kinds, prefix, offset, limit }) {
      await shipped.bring(keeper);
      return { ...keeper.read(({ documents }) => documents.list(kinds, prefix, offset, limit)), note: shipped.note };
    },
    async "knowledge.revision"() {
      await shipped.bring(keeper);
      return { revision: keeper.read(({ documents }) => documents.revision()) };
    },
    async "knowledge.history"({ id, before, limit }) {
      await shipped.bring(keeper);
      return keeper.read(({ documents }) => documents.history(id, before, limit));
    },
  };
}

/** @throws {RpcError} with everything that is wrong with the text */
async function draftOf(about: string, id: string, text: string): Promise<Draft> {
  const { parseDocumentOf } = await import("./document.ts");
  const parsed = parseDocumentOf(id, text);
  if ("document" in parsed) return { text, document: parsed.document };
  throw new RpcError(rpc_error.invalid_params, `${about}: ${parsed.problems.join("; ")}`);
}

function writingOf({ author, reason, call, taint }: Omit<Writing, "time_ms">): Writing {
  return { author, reason, call, taint, time_ms: Date.now() };
}

function notesOf(notes: readonly (string | null)[]): string | null {
  const said = notes.filter((note) => note !== null);
  return said.length === 0 ? null : said.join("; ");
}
