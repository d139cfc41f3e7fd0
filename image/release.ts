/** What this build is called and when its source is from. */

import { join } from "node:path";
import { run } from "../tooling/run.ts";
import { packageVersion } from "./package-version.ts";
import { checkout } from "./places.ts";

export interface Release {
  readonly name: string;
  readonly version: string;
  /** Time of the newest commit: the floor of the appliance's clock, and the time stamp of every file in the root. */
  readonly built_s: number;
}

export async function release(): Promise<Release> {
  const from_environment = process.env["SOURCE_DATE_EPOCH"];
  const text = from_environment ?? (await run(["git", "log", "-1", "--format=%ct"], { cwd: checkout })).trim();
  if (!/^\d+$/.test(text)) throw new Error(`reading the time of this release failed: "${text}" is no number of seconds`);
  return { name: "aiOS", version: packageVersion(join(checkout)), built_s: Number(text) };
}
