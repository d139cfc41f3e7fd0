/** process.open_files */

import { readdirSync, readlinkSync } from "node:fs";
import { z } from "zod";
import { defineTool } from "../../tool.ts";
import { procText } from "./shared/facts.ts";
import { holdProcess, type Subject, subject_input } from "./shared/subject.ts";

const target_chars_max = 400;
const limit_max = 200;
/** asm-generic/fcntl.h */
const access_mode = 3;
const modes = ["read", "write", "read-write", "path"] as const;

const OpenFile = z.lazy(() =>
  z.strictObject({
    fd: z.number().int(),
    kind: z.enum(["file", "socket", "pipe", "device", "anonymous"]),
    target: z
      .string()
      .describe("path; socket:[inode] and pipe:[inode] as the kernel names them; ends in (deleted) when it has no name any more"),
    access: z.enum(modes),
    position: z.number().nullable(),
  }),
);

export const processOpenFiles = defineTool({
  name: "process.open_files",
  title: "Open files of a process",
  description:
    "Lists the open descriptors of one process: files, sockets, pipes and devices, with access and position. Use it to find who keeps a file, a mount or deleted space in use. For network connections with their addresses use net.connections.",
  input: z.lazy(() =>
    z.strictObject({
      ...subject_input,
      offset: z.number().int().min(0).max(1_000_000).default(0).describe("descriptors to skip"),
      limit: z.number().int().min(1).max(limit_max).default(100).describe("descriptors to return"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      pid: z.number().int(),
      files: z.array(OpenFile),
      total: z.number().int(),
      truncated: z.boolean().describe("there are more after these: ask with a larger offset"),
    }),
  ),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: true,
  image: null,
  resolve: (input, context): Promise<Subject> => holdProcess(input, "read", context),
  run({ pid }, { offset, limit }) {
    const fds = descriptors(pid);
    const files = fds.slice(offset, offset + limit).flatMap((fd) => openFile(pid, fd));
    return { pid, files, total: fds.length, truncated: offset + limit < fds.length };
  },
});

function descriptors(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return []; // it has just ended
  }
}

/** @returns nothing when it was closed meanwhile */
function openFile(pid: number, fd: number): z.infer<typeof OpenFile>[] {
  try {
    const target = readlinkSync(`/proc/${pid}/fd/${fd}`).slice(0, target_chars_max).toWellFormed();
    const info = procText(pid, `fdinfo/${fd}`);
    const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? "0", 8);
    const position = /^pos:\s*(\d+)/m.exec(info)?.[1];
    const kind = kindOf(target);
    const access = (flags & 0o10000000) !== 0 ? "path" : (modes[flags & access_mode] ?? "path");
    return [{ fd, kind, target, access, position: position === undefined || kind !== "file" ? null : Number(position) }];
  } catch {
    return [];
  }
}

function kindOf(target: string): z.infer<typeof OpenFile>["kind"] {
  if (target.startsWith("socket:")) return "socket";
  if (target.startsWith("pipe:")) return "pipe";
  if (target.startsWith("anon_inode:")) return "anonymous";
  return target.startsWith("/dev/") ? "device" : "file";
}
