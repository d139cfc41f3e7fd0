/** The folder that a service may write: its own, in one that only root can change. */

import { chmodSync, lchownSync, lstatSync, mkdirSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Context } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { serviceFolder } from "./definition.ts";

/** @returns its path. @throws {ToolError} when something else is there */
export function makeServiceFolder(name: string, uid: number, context: Pick<Context, "places">): string {
  const path = serviceFolder(name, context);
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  }
  if (!lstatSync(path).isDirectory()) throw new ToolError(`making the folder "${path}" failed: there is something else; move it away`);
  lchownSync(path, uid, uid);
  chmodSync(path, 0o700);
  return path;
}

/** Takes it away when the service has left nothing in it. */
export function removeIfEmpty(name: string, context: Pick<Context, "places">): void {
  try {
    rmdirSync(serviceFolder(name, context));
  } catch {
    // there is something in it, which is kept; or it is gone
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
