/** An import, as the service does it: the helper reads and checks the file, and all of it is taken in, or nothing. */

import { rmSync } from "node:fs";
import type { Job } from "../../../contracts/memory/job.ts";
import { Recalled } from "../../../contracts/memory/record.ts";
import type { RefusedLine } from "../../../contracts/memory/upkeep.ts";
import type { Keeper } from "../../keeper.ts";
import { checkedImport } from "../folders.ts";
import type { Jobs } from "../job.ts";
import { SegmentReader } from "../segments/reader.ts";
import { turn } from "../turn.ts";

export interface Imported {
  readonly read: number;
  readonly written: number;
  readonly refused: RefusedLine[];
  readonly refused_lines: number;
}

/** Takes in `imports/<name>`. @throws when the file cannot be read or memory.db not written */
export async function importFrom(keeper: Keeper, jobs: Jobs, name: string): Promise<Imported> {
  const path = checkedImport(keeper.folder, name);
  const job: Extract<Job, { do: "import" }> = { do: "import", folder: keeper.folder, name };
  try {
    const { memories: read, refused, refused_lines } = await jobs.run<"import">(job);
    const written = refused_lines > 0 ? 0 : await takeIn(keeper, path);
    return { read, written, refused, refused_lines };
  } finally {
    rmSync(path, { force: true });
  }
}

async function takeIn(keeper: Keeper, path: string): Promise<number> {
  const reader = new SegmentReader(path);
  let written = 0;
  try {
    for (let number = 0; number < reader.blocks; number += 1) {
      const memories = reader.block(number).map((line) => Recalled.parse(JSON.parse(line)));
      written += keeper.write((parts) => memories.filter((memory) => parts.upkeep.takeIn(parts.longterm, memory)).length);
      await turn();
    }
    return written;
  } finally {
    reader.close();
  }
}
