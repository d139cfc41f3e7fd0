/** Memories for tests, and a keeper of them in a folder of its own. */

import type { Memory } from "../../../contracts/memory/record.ts";
import { GroupCommit } from "../../group-commit.ts";
import { Keeper } from "../../keeper.ts";
import { wallClock } from "../../testing/clock.ts";
import { diskFolder } from "../../testing/folder.ts";
import { boot } from "../../testing/records.ts";
import { Upkeep } from "../../upkeep/upkeep.ts";
import { Background } from "../background.ts";
import { type Embedder, noEmbedder } from "../embedder.ts";
import { longtermHandlers } from "../handlers.ts";

export const first_ms = 1_700_000_000_000;

export function noteId(number: number): string {
  return `${boot}-note-${number}`;
}

export function note(number: number, text: string, over: Partial<Memory> = {}): Memory {
  return {
    id: noteId(number),
    time_ms: first_ms + number * 1000,
    boot_ms: number * 1000,
    kind: "note",
    source: "broker",
    severity: "info",
    tier: null,
    tool: null,
    service: null,
    outcome: null,
    text,
    body: { number },
    taint: [],
    links: [],
    ...over,
  };
}

export function remembering(embedder: Embedder = noEmbedder("none in this test"), folder = diskFolder("memory-longterm")) {
  const keeper = new Keeper(folder);
  const commit = new GroupCommit({
    parts: () => keeper.parts,
    onWritten: () => keeper.written(),
    onFailed: (error) => keeper.failed(error),
  });
  const trouble: string[] = [];
  const background = new Background({ keeper, embedder, onTrouble: (text) => void trouble.push(text) });
  const memory = longtermHandlers({ keeper, commit, embedder, background, upkeep: new Upkeep({ keeper, clock: wallClock(Date.now) }) });
  /** Writes these, and makes their vectors. */
  const remember = async (...memories: readonly Memory[]): Promise<void> => {
    for (let at = 0; at < memories.length; at += 200) await memory.append({ memories: memories.slice(at, at + 200) });
    background.wake();
    await background.idle();
  };
  const search = async (query: string, over: Partial<Parameters<typeof memory.search>[0]> = {}) =>
    await memory.search({ query, mode: "hybrid", filter: {}, limit: 10, ...over });
  const found = async (query: string, over: Partial<Parameters<typeof memory.search>[0]> = {}): Promise<string[]> =>
    (await search(query, over)).found.map((one) => one.memory.id);
  return { keeper, commit, background, memory, folder, trouble, remember, search, found };
}
