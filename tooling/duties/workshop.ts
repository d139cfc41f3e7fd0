/**
 * A copy of the checkout in which duties are removed one at a time: the files that git knows as they are on the disk, the
 * npm packages by a link. What is compiled from the source goes to a cache of its own, so that no cut executable is ever
 * taken for a good one; everything else comes from the real cache.
 */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cacheRoot } from "../cache.ts";
import { run } from "../run.ts";
import { checkout, type Edit, edited, type Level, type Proof } from "./list.ts";

/** Kinds of cache entries whose content is made of our own source. */
const ours: readonly string[] = ["aios", "static", "seccomp"];
/** What is started here ends when we do, however that is: a test that is told to leaves no machine behind. */
const with_us = ["setpriv", "--pdeathsig", "TERM", "--"] as const;

export interface Workshop {
  readonly path: string;
  /** Cuts, works, and puts back what was there, whatever comes. */
  without<T>(cuts: readonly Edit[], work: () => Promise<T>): Promise<T>;
  /** Builds what tests of this level need. @throws {CommandFailed} */
  build(level: Level, files: readonly string[]): Promise<void>;
  /** Runs tests of one file. @returns the report, or null when there is none */
  test(file: string, tests: readonly string[]): Promise<string | null>;
  remove(): void;
}

export async function openWorkshop(): Promise<Workshop> {
  const path = mkdtempSync(join(tmpdir(), "aios-duties-"));
  const listed = await run(["git", "-C", checkout, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  for (const file of listed.split("\0").filter((name) => name !== "" && existsSync(join(checkout, name)))) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    copyFileSync(join(checkout, file), join(path, file));
  }
  symlinkSync(join(checkout, "node_modules"), join(path, "node_modules"));
  mkdirSync(join(path, "build"));
  if (existsSync(join(checkout, "build/kernel"))) symlinkSync(join(checkout, "build/kernel"), join(path, "build/kernel"));
  const cache = join(path, "build/cache/aios");
  mkdirSync(cache, { recursive: true });
  for (const kind of existsSync(cacheRoot()) ? readdirSync(cacheRoot()) : [])
    if (!ours.includes(kind)) symlinkSync(join(cacheRoot(), kind), join(cache, kind));
  const built_s = (await run(["git", "-C", checkout, "log", "-1", "--format=%ct"])).trim(); // the copy has no history
  const env = { XDG_CACHE_HOME: dirname(cache), SOURCE_DATE_EPOCH: built_s };
  const bun = join(path, "node_modules/.bin/bun");
  const log = join(path, "build/log/duties.log");

  return {
    path,
    async without(cuts, work) {
      const before = new Map<string, string>();
      try {
        for (const cut of cuts) {
          const file = join(path, cut.in);
          const text = readFileSync(file, "utf8");
          if (!before.has(file)) before.set(file, text);
          writeFileSync(file, edited(text, cut));
        }
        return await work();
      } finally {
        for (const [file, text] of before) writeFileSync(file, text);
      }
    },
    async build(level, files) {
      if (level === "unit") return;
      const disk = files.some((file) => /vm\/(disk|kexec)\.test\.ts$/.test(file));
      const target = disk ? "all" : level === "vm" ? "root" : "tree";
      const build = (...words: string[]): Promise<string> => run([...with_us, bun, "image/build.ts", ...words], { cwd: path, env, log });
      await build(target, "--plain");
      if (!existsSync(join(path, "build/bin/aiosctl"))) await build("client"); // the operator's, which no duty is removed from
    },
    async test(file, tests) {
      const report = join(path, "build/report.xml");
      rmSync(report, { force: true });
      const names = tests.map((test) => test.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
      const options = ["--timeout=300000", "--reporter=junit", `--reporter-outfile=${report}`];
      const argv = [...with_us, bun, "test", ...options, "-t", names, `./${file}`];
      await run(argv, { cwd: path, env, log }).catch(() => {}); // the report says it
      return existsSync(report) ? readFileSync(report, "utf8") : null;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The tests that are cited of each file. */
export function byFile(proofs: readonly Proof[]): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>();
  for (const { in: file, test } of proofs) {
    const tests = files.get(file) ?? [];
    if (!tests.includes(test)) tests.push(test);
    files.set(file, tests);
  }
  return files;
}
