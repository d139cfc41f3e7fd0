/**
 * `policies.checked`: the policies of the image as they were read and held against their examples when it was built. Neither
 * they nor what evaluates them can have changed since, so the broker takes them as they are: reading them again is a second
 * of computing, a minute where the machine is emulated.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { lib_dir } from "../../contracts/paths.ts";
import { nativeVersion } from "../../wire/native.ts";
import { cedar_package, type PolicyJson } from "./cedar.ts";
import type { LoadedPolicy, PolicyFiles, PolicyPlaces } from "./load.ts";

const checked_file = `${lib_dir}/policies.checked`;

const Checked = z.strictObject({
  /** SHA-256 over the files, the places and the version of Cedar. */
  digest: z.string(),
  policies: z.array(
    z.strictObject({
      name: z.string(),
      file: z.string(),
      effect: z.enum(["permit", "forbid"]),
      reason: z.string(),
      text: z.string(),
      json: z.custom<PolicyJson>((value) => typeof value === "object" && value !== null && "conditions" in value),
    }),
  ),
});

function digestOf(files: PolicyFiles, places: PolicyPlaces): string {
  return createHash("sha256")
    .update(JSON.stringify([nativeVersion(cedar_package), places, Object.entries(files).sort()]))
    .digest("hex");
}

/** @returns the text of the file */
export function checkedText(policies: readonly LoadedPolicy[], files: PolicyFiles, places: PolicyPlaces): string {
  const plain = policies.map(({ name, file, effect, reason, text, json }) => ({ name, file, effect, reason, text, json }));
  return `${JSON.stringify({ digest: digestOf(files, places), policies: plain })}\n`;
}

/** @returns null where there is no such file, or it is of other policies */
export function readChecked(files: PolicyFiles, places: PolicyPlaces, path = checked_file): LoadedPolicy[] | null {
  if (!existsSync(path)) return null;
  const parsed = Checked.safeParse(objectOf(readFileSync(path, "utf8")));
  return parsed.success && parsed.data.digest === digestOf(files, places) ? parsed.data.policies : null;
}

function objectOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
