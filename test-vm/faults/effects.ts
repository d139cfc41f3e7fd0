/** Looks at effects, and ways to make them, by the kernel's own interfaces. */

import { closeSync, openSync, readFileSync, statfsSync, statSync, writeSync } from "node:fs";
import type { Ground } from "./ground.ts";

const mib = 1024 * 1024;

type Inside = Pick<Ground, "inside">;

export function usedRatio(disk: string): number {
  const { blocks, bfree } = statfsSync(disk);
  return (blocks - bfree) / blocks;
}

export function inodesUsedRatio(disk: string): number {
  const { files, ffree } = statfsSync(disk);
  return (files - ffree) / files;
}

/** MiB that are missing until so much of the disk is used. */
export function mibUntil(disk: string, ratio: number): number {
  const { blocks, bfree, bsize } = statfsSync(disk);
  return Math.max(0, Math.floor(((ratio * blocks - (blocks - bfree)) * bsize) / mib));
}

/** Real blocks, no hole. */
export function writeMib(path: string, amount: number): void {
  const block = Buffer.alloc(mib, 7);
  const fd = openSync(path, "a", 0o644);
  try {
    for (let n = 0; n < amount; n += 1) writeSync(fd, block);
  } finally {
    closeSync(fd);
  }
}

export function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program of this host in the system's network and process namespaces. @throws when it fails */
export async function run(ground: Inside, ...argv: string[]): Promise<string> {
  const { status, out } = await ground.inside.sh(argv);
  if (status !== 0) throw new Error(`running "${argv.join(" ")}" beside the system failed with status ${status}: ${out}`);
  return out;
}

/** The system's own nft(8): an older one does not know how to list what a newer one has made. @throws when it fails */
export async function nft(ground: Inside, ...argv: string[]): Promise<string> {
  const { status, out } = await ground.inside.inside(["nft", ...argv]);
  if (status !== 0) throw new Error(`running "nft ${argv.join(" ")}" in the system failed with status ${status}: ${out}`);
  return out;
}

/** proc_pid_stat(5). */
export function niceIn(stat: string): number {
  return Number(stat.replace(/^.*\) /, "").split(" ")[16]);
}

/** nice(2) of a process; null when it is gone. */
export function niceOf(pid: number): number | null {
  try {
    return niceIn(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return null;
  }
}

/** Ports of all addresses but loopback on which somebody listens: `tcp:8080`. */
export function listeners(pid: number): string[] {
  return listenersIn(["tcp", "tcp6"].map((table) => readFileSync(`/proc/${pid}/net/${table}`, "latin1")).join("\n"));
}

/** @param tables of proc_pid_net(5): tcp and tcp6 */
export function listenersIn(tables: string): string[] {
  const found = new Set<string>();
  for (const line of tables.split("\n")) {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [address, port] = local.split(":");
    if (state === "0A" && address !== "0100007F") found.add(`tcp:${Number.parseInt(port ?? "0", 16)}`);
  }
  return [...found].sort();
}

/** What a service answers on a port of the system's own loopback; "" when nobody does. */
export async function answerOn(ground: Inside, port: number): Promise<string> {
  const { out } = await ground.inside.sh(
    ["bash", "-c", `{ exec 3<>/dev/tcp/127.0.0.1/${port} && timeout 3 cat <&3; } 2>/dev/null`],
    10_000,
  );
  return out.trim();
}
