/**
 * In the helper: reads a file of JSON lines through before anything of it is taken. Only when every line is right is it
 * handed on, as a segment that the service reads a block at a time.
 */

import { createHash } from "node:crypto";
import { closeSync, createReadStream, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Job, JobResults } from "../../../contracts/memory/job.ts";
import { Recalled } from "../../../contracts/memory/record.ts";
import { ExportEnd, ExportHead, type RefusedLine } from "../../../contracts/memory/upkeep.ts";
import { issuesText } from "../../../wire/issues.ts";
import { takeSecretsOut } from "../../../wire/secrets-in-text.ts";
import { checkedImport, importsIn } from "../folders.ts";
import { SegmentWriter } from "../segments/write.ts";

const refused_max = 100;
/** Characters of one line: a memory is at most some 80 KiB as JSON. */
const line_chars_max = 256 * 1024;
const taint_max = 16;

export async function checkImport({ folder, name }: Extract<Job, { do: "import" }>): Promise<JobResults["import"]> {
  const path = join(importsIn(folder), name);
  if (!existsSync(path)) throw new Error(`there is no file "${path}": copy it there first`);
  const check = new Check(name, SegmentWriter.replacing(checkedImport(folder, name)));
  for await (const line of linesOf(path)) check.take(line);
  return check.end();
}

class Check {
  readonly #taint: string;
  readonly #writer: SegmentWriter;
  readonly #refused: RefusedLine[] = [];
  readonly #hash = createHash("sha256");
  #refused_lines = 0;
  #memories = 0;
  #line = 0;
  #ended = false;

  constructor(name: string, writer: SegmentWriter) {
    this.#taint = `import:${name}`;
    this.#writer = writer;
  }

  take(text: string): void {
    this.#line += 1;
    const fault = this.#faultIn(text);
    if (fault !== null) this.#refuse(fault);
  }

  #faultIn(text: string): string | null {
    if (this.#ended) return "it stands after the end";
    const value = parsed(text);
    if (value instanceof Error) return `it is no JSON: ${value.message}`;
    if (this.#line === 1)
      return ExportHead.safeParse(value).success ? null : "it is not the first line of an export that this version knows";
    const end = ExportEnd.safeParse(value);
    if (end.success) return this.#compare(end.data.end);
    takeSecretsOut(value);
    const memory = Recalled.safeParse(value);
    if (!memory.success) return issuesText(memory.error);
    this.#hash.update(`${text}\n`);
    this.#memories += 1;
    this.#writer.add(memory.data.id, JSON.stringify(this.#marked(memory.data)));
    return null;
  }

  #marked(memory: Recalled): Recalled {
    return { ...memory, taint: [...memory.taint.slice(0, taint_max - 1), this.#taint], pinned: false, used: 0, useful: 0 };
  }

  end(): JobResults["import"] {
    this.#line += 1;
    if (!this.#ended) this.#refuse("the file ends before its last line: it was cut short");
    this.#writer.finish();
    return { memories: this.#memories, refused: this.#refused, refused_lines: this.#refused_lines };
  }

  #compare({ memories, sha256 }: { memories: number; sha256: string }): string | null {
    this.#ended = true;
    // lines that were refused are told themselves
    if (this.#refused_lines > 0 || (memories === this.#memories && sha256 === this.#hash.digest("hex"))) return null;
    return `it says ${memories} memories with the SHA-256 ${sha256}, and what stands before it is something else`;
  }

  #refuse(reason: string): void {
    this.#refused_lines += 1;
    if (this.#refused.length < refused_max) this.#refused.push({ line: this.#line, reason: reason.slice(0, 500) });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** By what the file begins with, whatever its name says. */
const packings: readonly [magic: string, unpack: () => NodeJS.ReadWriteStream][] = [
  ["28b52ffd", createZstdDecompress],
  ["1f8b", createGunzip],
];

async function* linesOf(path: string): AsyncGenerator<string> {
  const begins = firstBytes(path);
  const unpack = packings.find(([magic]) => begins.startsWith(magic))?.[1];
  const file = createReadStream(path);
  const stream: NodeJS.ReadableStream = unpack === undefined ? file : file.pipe(unpack());
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(typeof chunk === "string" ? Buffer.from(chunk) : chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > line_chars_max) throw new Error(`a line of "${path}" is longer than ${line_chars_max} characters`);
    yield* lines;
  }
  if (rest !== "") yield rest;
}

function firstBytes(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(4);
    return bytes.subarray(0, readSync(file, bytes, 0, 4, 0)).toString("hex");
  } finally {
    closeSync(file);
  }
}
