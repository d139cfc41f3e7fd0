/** Looks at everything below some folders, as a baseline has it: by descriptors, without following links or leaving the mount. */

import { createHash } from "node:crypto";
import type { System } from "../../../../../sys/system.ts";
import type { Context } from "../../../../context.ts";
import { encodeName, quote } from "../../../../paths/path-text.ts";
import type { Occupied } from "../../../../paths/place.ts";
import { ToolError } from "../../../../tool.ts";
import { hashOf, openForReading } from "../../../fs/shared/content.ts";
import { depth_max, type Step, walk } from "../../../fs/shared/walk.ts";
import { compareKeys, type Entry, type Key } from "./entry.ts";

interface TakeLimits {
  readonly entries_max: number;
  /** Of all that is hashed. */
  readonly bytes_max: number;
}

export interface Taken {
  entries: number;
  hashed_bytes: number;
}

type Ports = Pick<Context, "sys" | "places" | "signal" | "output" | "clock">;

const tell_interval_ms = 1000;
const tries_max = 3;
const inline_chars_max = 128;

/**
 * @param after everything up to there is passed over, and not hashed
 * @param taken counts on while it goes
 * @throws {ToolError} when there is more than the limits allow, or when the call is over
 */
export async function* entriesBelow(
  context: Ports,
  roots: readonly (Occupied | null)[],
  limits: TakeLimits,
  taken: Taken,
  after: Key | null = null,
): AsyncGenerator<Entry> {
  let told_ms = context.clock.boot_ms();
  for (const [root, place] of roots.entries()) {
    if (place === null) continue;
    for await (const step of walk(context, place, { depth_max, entries_max: limits.entries_max - taken.entries })) {
      taken.entries += 1;
      const key = { root, names: step.names.map(encodeName) };
      if (context.clock.boot_ms() - told_ms > tell_interval_ms) {
        told_ms = context.clock.boot_ms();
        context.output("stdout", `${taken.entries} entries, ${taken.hashed_bytes} bytes\n`);
      }
      if (after !== null && compareKeys(key, after) <= 0) continue;
      yield await entryOf(context, step, key, place, limits, taken);
    }
  }
}

async function entryOf(context: Ports, step: Step, key: Key, root: Occupied, limits: TakeLimits, taken: Taken): Promise<Entry> {
  const { sys } = context;
  const { fd, status, closed } = step;
  const { type, mode, uid, gid } = status;
  const base = { ...key, type, mode, uid, gid, size_bytes: null, sha256: null, link: null, extended: {}, closed };
  if (closed === "mount" || closed === "broker" || closed === "trash") return { ...base, mode: 0, uid: 0, gid: 0 };
  const extended = attributesOf(sys, fd);
  if (type === "symlink") return { ...base, extended, link: encodeName(sys.file.readLink(fd, "")) };
  if (type !== "file") return { ...base, extended, link: status.node };
  taken.hashed_bytes += status.size_bytes;
  if (taken.hashed_bytes > limits.bytes_max)
    throw new ToolError(`looking at ${quote(root.path)} failed: it holds more than ${limits.bytes_max} bytes; take a part of it`);
  return { ...base, extended, size_bytes: status.size_bytes, sha256: await hashAtRest(context, fd) };
}

/** Null when it was written to each time. */
async function hashAtRest({ sys, signal }: Ports, fd: number): Promise<string | null> {
  const content = openForReading(sys, fd);
  try {
    for (let tries = 0; tries < tries_max; tries += 1) {
      const before = sys.file.status(content);
      const digest = await hashOf(content, "sha256", signal);
      const after = sys.file.status(content);
      if (before.ctime_ns === after.ctime_ns && before.size_bytes === after.size_bytes) return digest;
    }
    return null;
  } finally {
    sys.descriptor.close(content);
  }
}

function attributesOf(sys: System, fd: number): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of sys.file.attributes(fd)) {
    const value = sys.file.attribute(fd, name);
    if (value === null) continue;
    const text = value.toString("base64");
    found[name] = text.length <= inline_chars_max ? text : `sha256 ${createHash("sha256").update(value).digest("hex")}`;
  }
  return found;
}
