/**
 * The rest of the system, before a fault and after it: what is different and is no trace of the fault itself is collateral. Keys:
 * `service/web`, `file/srv/…`, `listener/tcp:80`, `firewall`, `address/up0`, `route`, `names`, `hostname`, `grant/…`, `ban/…`.
 */

import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listeners, nft, run } from "./effects.ts";
import type { Ground } from "./ground.ts";

export type Snapshot = ReadonlyMap<string, string>;

const patients = ["web", "shop", "clerk"] as const;
/** What services write all the time, and what says to them what to do. */
const busy_file = /(^|\/)(do|do\.new|shop\.db(-journal)?|scratch)$/;
const hashed_bytes_max = 1024 * 1024;
const depth_max = 6;

export async function takeSnapshot(ground: Ground): Promise<Snapshot> {
  const found = new Map<string, string>();
  for (const name of patients) {
    const one = ground.patient(name);
    found.set(`service/${name}`, `${(await one.ready()) ? "ready" : "not ready"}, process ${await one.pid()}`);
  }
  for (const port of listeners(ground.inside.pid)) found.set(`listener/${port}`, "listens");
  found.set("firewall", withoutCounters(await nft(ground, "--stateless", "list", "ruleset")));
  for (const line of (await run(ground, "ip", "-oneline", "-4", "address")).trim().split("\n"))
    found.set(`address/${line.split(/\s+/)[1]}`, line.replace(/valid_lft.*/, "").trim());
  found.set("route", (await run(ground, "ip", "-4", "route")).trim());
  found.set("links", (await run(ground, "ip", "-oneline", "link")).replace(/state \S+|qlen \d+/g, "").trim());
  found.set("names", text(ground.resolv));
  found.set("hostname", (await run(ground, "hostname")).trim());
  addFiles(found, ground.folders.srv, "srv");
  for (const name of patients) addFiles(found, ground.patient(name).folder, `services/${name}`);
  for (const [key, value] of await ground.more()) found.set(key, value);
  return found;
}

/** @param traces of the fault itself @returns in words, one a key */
export function collateral(before: Snapshot, after: Snapshot, traces: readonly RegExp[]): string[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys
    .filter((key) => before.get(key) !== after.get(key) && !traces.some((trace) => trace.test(key)))
    .map((key) => `${key}: ${brief(before.get(key))} became ${brief(after.get(key))}`);
}

function brief(value: string | undefined): string {
  return value === undefined ? "nothing" : JSON.stringify(value.length > 160 ? `${value.slice(0, 160)}…` : value);
}

function withoutCounters(ruleset: string): string {
  return ruleset.replaceAll(/ expires \S+/g, "").trim();
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function addFiles(found: Map<string, string>, folder: string, name: string, depth = 0): void {
  let entries: string[];
  try {
    entries = readdirSync(folder);
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = join(folder, entry);
    const key = `file/${name}/${entry}`;
    if (busy_file.test(key)) continue;
    try {
      const { mode, uid, size } = lstatSync(path);
      const kind = lstatSync(path).isDirectory() ? "folder" : "file";
      const content = kind === "file" && size <= hashed_bytes_max ? hash(path) : "";
      found.set(key, `${kind} ${(mode & 0o7777).toString(8)} ${uid} ${kind === "file" ? size : ""} ${content}`.trim());
      if (kind === "folder" && depth < depth_max) addFiles(found, path, `${name}/${entry}`, depth + 1);
    } catch {
      // gone meanwhile
    }
  }
}

function hash(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
}
