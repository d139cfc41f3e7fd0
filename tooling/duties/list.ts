/**
 * The duties of PID 1 as data (init/duties/*.yaml): what it has to do, which tests prove that it does, and the removal of
 * just that duty, by which `mutate.ts` shows that these tests would notice.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

export const checkout = resolve(import.meta.dir, "../..");
const folder = join(checkout, "init/duties");

const File = z.string().regex(/^[A-Za-z0-9._/-]+$/);

/** One place in the source. `take` stands exactly once in the file; `put` comes in its place. */
const Edit = z.strictObject({ in: File, take: z.string().min(1), put: z.string().default("") });
export type Edit = z.infer<typeof Edit>;

/** A test by its file and its own name, without the names of the groups around it. */
const Proof = z.strictObject({ in: File, test: z.string().min(3) });
export type Proof = z.infer<typeof Proof>;

const Duty = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  /** One sentence, for people. */
  duty: z.string().min(10).max(160),
  /** Several places where a duty is done twice over: one of them alone would not be missed. */
  remove: z.union([Edit.transform((one) => [one]), z.array(Edit).min(1)]),
  /** Each of these has to fail when the duty is removed. */
  proof: z.union([Proof.transform((one) => [one]), z.array(Proof).min(1)]),
});
export type Duty = z.infer<typeof Duty> & {
  /** The file in which it stands. */
  readonly listed_in: string;
};

/** All of them, by file and then as written. @throws when a file is not in the form that it has to be in */
export function loadDuties(from = folder): Duty[] {
  return readdirSync(from)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .flatMap((name) => {
      const listed = z.array(Duty).safeParse(parse(readFileSync(join(from, name), "utf8")));
      if (!listed.success) throw new Error(`reading "${join(from, name)}" failed: ${z.prettifyError(listed.error)}`);
      return listed.data.map((duty) => ({ ...duty, listed_in: name }));
    });
}

/** The file's text without the duty. @throws when what is to be taken away is not there, or is there more than once */
export function edited(text: string, { in: file, take, put }: Edit): string {
  const at = text.indexOf(take);
  if (at < 0) throw new Error(`removing a duty from "${file}" failed: ${JSON.stringify(take)} is not in it; write down what is there now`);
  if (text.indexOf(take, at + 1) >= 0)
    throw new Error(`removing a duty from "${file}" failed: ${JSON.stringify(take)} is in it more than once; quote more of it`);
  return text.slice(0, at) + put + text.slice(at + take.length);
}

/** What has to be built, and started, for a test to run; from the quickest to the slowest. */
export const levels = ["unit", "root", "vm"] as const;
export type Level = (typeof levels)[number];

export function levelOf({ in: file }: Proof): Level {
  if (file.startsWith("test-vm/scenarios/vm/")) return "vm";
  return file.startsWith("test-vm/") || file.startsWith("image/") ? "root" : "unit";
}

/** That of its slowest proof. */
export function levelOfDuty({ proof }: Pick<Duty, "proof">): Level {
  return levels[Math.max(...proof.map((each) => levels.indexOf(levelOf(each))))] ?? "unit";
}
