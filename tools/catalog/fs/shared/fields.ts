/** What inputs and outputs of the family have in common. */

import { z } from "zod";
import type { FileStatus } from "../../../../sys/file/calls.ts";
import { file_types } from "../../../../sys/file/status.ts";
import { ToolError } from "../../../tool.ts";

/** As long as the kernel takes it; the rest is checked by `paths/`. */
export const pathField = (what: string) => z.string().min(1).max(4095).describe(`${what}: an absolute path`);

export const FileTypeField = z.enum(file_types);

export const ModeField = z
  .string()
  .regex(/^[0-7]{3,4}$/, 'a mode in octal digits, for example "0644"')
  .describe('Permissions in octal, for example "0644"');

export const SetuidField = z
  .boolean()
  .default(false)
  .describe("Allow setuid (04000) and setgid (02000) on files: with it a program runs with its owner's rights. Rarely what you want");

const setuid_or_setgid = 0o6000;

/** @throws {ToolError} when it has bits that were not asked for by name */
export function parseMode(text: string, allow_setuid: boolean, directory: boolean): number {
  const mode = Number.parseInt(text, 8);
  if ((mode & setuid_or_setgid) !== 0 && !allow_setuid && !directory)
    throw new ToolError(
      `setting the mode "${text}" failed: it has the setuid or setgid bit; say "allow_setuid": true when it is really meant`,
    );
  return mode;
}

export function modeText(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** ISO 8601 in UTC, with all nine digits: `2026-01-02T03:04:05.123456789Z`. */
export function timeText(time_ns: bigint): string {
  const rest_ns = ((time_ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (time_ns - rest_ns) / 1_000_000_000n;
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds} s since 1970`;
  return `${date.toISOString().slice(0, -5)}.${String(rest_ns).padStart(9, "0")}Z`;
}

export const SpeciesNames: Readonly<Record<FileStatus["type"], string>> = {
  file: "a file",
  directory: "a folder",
  symlink: "a symbolic link",
  fifo: "a named pipe",
  socket: "a socket",
  "character-device": "a character device",
  "block-device": "a block device",
};

/** Text of an answer, all in all, in bytes: frames of the protocol are not endless. */
export const answer_bytes_max = 64 * 1024;
