/** The cgroup whose limits may be changed along with a process: one of its own below `work`, never one of the system's. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Context } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { procText } from "./facts.ts";

/** @throws {ToolError} where there is none */
export function workCgroup(pid: number, { places }: Pick<Context, "places">): string {
  const path = /^0::\/work\/(\S+)$/m.exec(procText(pid, "cgroup"))?.[1];
  if (places.cgroup === null || path === undefined)
    throw new ToolError(
      `changing the cgroup of process ${pid} failed: it is in none below "work"; only programs of tools and services that were defined are; nice and rlimits work for all`,
    );
  return `${places.cgroup.replace(/\/tools$/, "")}/${path}`;
}

/** @throws {ToolError} where this kernel does not keep it */
export function readCgroup(cgroup: string, file: string): string {
  if (!existsSync(`${cgroup}/${file}`)) throw new ToolError(`reading "${file}" of "${cgroup}" failed: this kernel offers no such limit`);
  return readFileSync(`${cgroup}/${file}`, "utf8").trim();
}

/** @throws {ToolError} with the kernel's reason */
export function writeCgroup(cgroup: string, file: string, text: string): void {
  try {
    writeFileSync(`${cgroup}/${file}`, text);
  } catch (error) {
    throw new ToolError(`setting "${file}" of "${cgroup}" to "${text}" failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A file of it and what was in it, for a before-image; restoring one that is gone with its processes does nothing. */
interface CgroupValue {
  readonly cgroup: string;
  readonly file: string;
  readonly text: string;
}

export function restoreCgroup({ cgroup, file, text }: CgroupValue): void {
  if (existsSync(`${cgroup}/${file}`) && readCgroup(cgroup, file) !== text) writeCgroup(cgroup, file, text);
}

/** @throws {ToolError} unless it is as it was, or gone */
export function verifyCgroup({ cgroup, file, text }: CgroupValue): void {
  if (existsSync(`${cgroup}/${file}`) && readCgroup(cgroup, file) !== text)
    throw new ToolError(`verifying "${file}" of "${cgroup}" failed: it is "${readCgroup(cgroup, file)}" and not "${text}"`);
}
