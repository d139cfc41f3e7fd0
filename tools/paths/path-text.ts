/** Paths as text, and names as bytes. */

import { ToolError } from "../tool.ts";

/** PATH_MAX of the kernel, with its final zero byte. */
export const path_bytes_max = 4095;

/** @throws {ToolError} unless it is an absolute path that the kernel could be asked for */
export function checkPath(path: string): void {
  const fail = (cause: string): never => {
    throw new ToolError(`resolving ${quote(path)} failed: ${cause}`);
  };
  if (!path.startsWith("/")) fail("it is not absolute; give a path that starts with /");
  if (path.includes("\0")) fail("it holds a zero byte, which no name can");
  if (!path.isWellFormed()) fail("it holds half of a surrogate pair, which is no text; names that are not UTF-8 cannot be given");
  if (Buffer.byteLength(path) > path_bytes_max) fail(`it is longer than ${path_bytes_max} bytes, the most that the kernel takes`);
}

/** For messages: in quotes, with control characters escaped, and not longer than it has to be. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a name or path; null when its bytes are not UTF-8. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** A name for a before-image: its text, or its bytes behind a zero byte, which no name can hold. */
export function encodeName(bytes: Uint8Array): string {
  return textOf(bytes) ?? `\0${Buffer.from(bytes).toString("base64")}`;
}

export function decodeName(text: string): Buffer {
  return text.startsWith("\0") ? Buffer.from(text.slice(1), "base64") : Buffer.from(text);
}

/** A name for people and models; `bytes_base64` only where the text is not the name. */
export function showName(bytes: Uint8Array): { readonly name: string; readonly bytes_base64?: string } {
  const name = textOf(bytes);
  return name === null ? { name: Buffer.from(bytes).toString(), bytes_base64: Buffer.from(bytes).toString("base64") } : { name };
}

/** Whether the canonical path `inner` is `outer` or below it. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
}

/** The folder of a canonical path, and the name in it. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const at = path.lastIndexOf("/");
  return { folder: at === 0 ? "/" : path.slice(0, at), name: path.slice(at + 1) };
}

export function joinPath(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}
