/** In the helper: memories as JSON lines, compressed, under their name only when the file is whole. */

import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import type { Job, JobResults } from "../../../contracts/memory/job.ts";
import type { ExportEnd, ExportHead } from "../../../contracts/memory/upkeep.ts";
import { openReadOnly } from "../../../wire/database.ts";
import { syncFolder } from "../../../wire/files.ts";
import { memory_file } from "../../store/migrations.ts";
import { bytesOf } from "../backup/files.ts";
import { ensure, exportsIn } from "../folders.ts";
import { readAll } from "../read-all.ts";
import { Cold } from "../segments/cold.ts";

/** Bytes of lines in one zstd frame; frames one after the other are one stream. */
const frame_plain_bytes = 1024 * 1024;

export function exportMemories({ folder, name, which, time_ms }: Extract<Job, { do: "export" }>): JobResults["export"] {
  const file = `${name}.jsonl.zst`;
  const path = join(ensure(exportsIn(folder)), file);
  if (existsSync(path)) throw new Error(`"${file}" is there already; choose another name`);
  const db = openReadOnly(join(folder, memory_file.file));
  const lines = new Lines(`${path}.new`);
  try {
    const hash = createHash("sha256");
    let memories = 0;
    let unreadable = 0;
    lines.add(JSON.stringify({ aios_memory: 1, made_ms: time_ms } satisfies ReturnType<typeof ExportHead.parse>));
    const { since_ms, until_ms, kinds } = which;
    const wanted = {
      cold: new Cold(db, folder),
      ...(since_ms !== undefined && { since_ms }),
      ...(until_ms !== undefined && { before_ms: until_ms }),
      ...(kinds !== undefined && { kinds }),
    };
    db.transaction(() => {
      const all = readAll(db, wanted, undefined, () => void unreadable++);
      for (const memory of all) {
        const line = JSON.stringify(memory);
        hash.update(`${line}\n`);
        lines.add(line);
        memories += 1;
      }
    })();
    lines.add(JSON.stringify({ end: { memories, sha256: hash.digest("hex") } } satisfies ReturnType<typeof ExportEnd.parse>));
    lines.finish();
    renameSync(`${path}.new`, path);
    syncFolder(exportsIn(folder));
    return { file, memories, unreadable, bytes: bytesOf(path) };
  } catch (error) {
    rmSync(`${path}.new`, { force: true });
    throw error;
  } finally {
    db.close();
  }
}

class Lines {
  readonly #file: number;
  #held: string[] = [];
  #held_bytes = 0;

  constructor(path: string) {
    rmSync(path, { force: true });
    this.#file = openSync(path, "wx", 0o600);
  }

  add(line: string): void {
    this.#held.push(line, "\n");
    this.#held_bytes += line.length;
    if (this.#held_bytes >= frame_plain_bytes) this.#flush();
  }

  finish(): void {
    this.#flush();
    fsyncSync(this.#file);
    closeSync(this.#file);
  }

  #flush(): void {
    const frame = zstdCompressSync(this.#held.join(""));
    for (let at = 0; at < frame.length; ) at += writeSync(this.#file, frame, at);
    this.#held = [];
    this.#held_bytes = 0;
  }
}
