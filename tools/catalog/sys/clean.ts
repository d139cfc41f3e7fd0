import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import type { Context } from "../../context.ts";
import { defineTool, ToolError } from "../../tool.ts";

/** Folders whose content can be made again by whoever needs it. */
function foldersOf(what: "temporary" | "caches", places: Context["places"]): string[] {
  return what === "temporary" ? ["/tmp", `${places.data}/tmp`] : [`${places.data}/cache`];
}

interface Entry {
  readonly folder: string;
  readonly name: string;
  readonly bytes: number;
}

/** Entries of these folders that nobody has changed for so long, with what they take. A link is a link, not what it points to. */
function oldEntries(folders: readonly string[], before_ms: number): Entry[] {
  return folders.flatMap((folder) =>
    !existsSync(folder) || !lstatSync(folder).isDirectory()
      ? []
      : readdirSync(folder).flatMap((name) => {
          const { bytes, newest_ms } = weigh(join(folder, name));
          return newest_ms < before_ms && name !== ".aios-trash" ? [{ folder, name, bytes }] : [];
        }),
  );
}

/** Of a whole tree; what vanishes meanwhile weighs nothing. */
function weigh(path: string): { readonly bytes: number; readonly newest_ms: number } {
  try {
    const stat = lstatSync(path);
    let [bytes, newest_ms] = [stat.blocks * 512, stat.mtimeMs];
    if (stat.isDirectory())
      for (const name of readdirSync(path)) {
        const inner = weigh(join(path, name));
        bytes += inner.bytes;
        newest_ms = Math.max(newest_ms, inner.newest_ms);
      }
    return { bytes, newest_ms };
  } catch {
    return { bytes: 0, newest_ms: 0 };
  }
}

export const clean = defineTool({
  name: "sys.clean",
  title: "Clean up",
  description:
    "Frees disk space: deletes temporary files and caches that nobody has changed for `older_than_s`. Nothing else is ever touched, and nothing takes it back; what a cache held is made again when it is needed. To delete a particular file use fs.remove, which can be undone. With a dry run it says what would go.",
  input: z.lazy(() =>
    z.strictObject({
      what: z
        .array(z.enum(["temporary", "caches"]))
        .min(1)
        .max(2)
        .describe("`temporary`: /tmp and the data partition's tmp; `caches`: downloaded and computed files"),
      older_than_s: z.number().int().min(0).max(31_536_000).default(86_400).describe("only what was not changed within so many seconds"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      removed: z.number().int().describe("entries removed, whole trees as one"),
      freed_bytes: z.number().int(),
      kept: z.array(z.string()).max(50).describe("entries that could not be removed"),
    }),
  ),
  risk: "irreversible",
  timeout_ms: 300_000,
  idempotent: true,
  tainted: false,
  changedNothing: ({ removed }) => removed === 0,
  image: null,
  resolve: ({ what }, { places }) => ({
    resources: [...new Set(what)]
      .flatMap((each) => foldersOf(each, places).map((id) => ({ each, id })))
      .map(({ each, id }): Resource => ({ kind: "path", id, access: "delete", attributes: { purpose: each } })),
  }),
  preview: (_, { what, older_than_s }, { places, clock }) => {
    const entries = oldEntries(
      what.flatMap((each) => foldersOf(each, places)),
      clock.now_ms() - older_than_s * 1000,
    );
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    return {
      changes: [`${entries.length} entries with ${bytes} bytes are deleted`],
      final: entries.slice(0, 50).map(({ folder, name }) => join(folder, name)),
    };
  },
  run: (_, { what, older_than_s }, { places, clock, call, signal }) => {
    const entries = oldEntries(
      what.flatMap((each) => foldersOf(each, places)),
      clock.now_ms() - older_than_s * 1000,
    );
    const kept: string[] = [];
    let [removed, freed_bytes] = [0, 0];
    for (const { folder, name, bytes } of entries) {
      if (signal.aborted) throw new ToolError(`cleaning "${folder}" failed: it was ended after ${removed} entries`);
      // Moved first to where nobody else can put a link into its way.
      const grave = join(folder, `.aios-clean-${call}`);
      try {
        mkdirSync(grave, { mode: 0o700 });
        renameSync(join(folder, name), join(grave, "entry"));
        rmSync(grave, { recursive: true });
        removed += 1;
        freed_bytes += bytes;
      } catch {
        if (kept.length < 50) kept.push(join(folder, name));
        rmSync(grave, { recursive: true, force: true });
      }
    }
    return { removed, freed_bytes, kept };
  },
});
