/**
 * A file of known length and SHA-256 from the first of several addresses that has it.
 *
 * One address is tried again while it gives something now and then; `tries_max` times in a row without a byte are its end. What
 * is there already is kept and the rest asked for (RFC 9110, Range, with If-Range where the server named its version): also
 * after a kill, and from another address, for the hash says in the end whether it is all of one file. Where it is not and
 * something of it was doubtful, the same address is asked once more for all of it; else it has another file and the next is
 * tried. What does not hash right is never kept.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { ToolError } from "../../../tool.ts";
import { DiskError, PartFile, removePart } from "./part.ts";
import { PassingError, problemOf, requestRest, SourceError } from "./remote-file.ts";

interface FetchLimits {
  /** Milliseconds without a byte after which a connection is given up. */
  readonly stall_ms: number;
  /** Tries in a row that brought nothing. */
  readonly tries_max: number;
  /** Milliseconds before the first of them, doubled with each up to the other. */
  readonly wait_first_ms: number;
  readonly wait_max_ms: number;
}

const fetch_limits: FetchLimits = { stall_ms: 60_000, tries_max: 6, wait_first_ms: 1000, wait_max_ms: 30_000 };

interface FileWanted {
  /** For messages: `fetching the model "x"`. */
  readonly what: string;
  readonly sources: readonly string[];
  readonly redirect_hosts: readonly string[];
  readonly size_bytes: number;
  readonly sha256: string;
  /** Where it is put together, and where it goes: in one file system. */
  readonly part: string;
  readonly path: string;
}

export interface FetchPorts {
  readonly signal: AbortSignal;
  /** Told after each piece. */
  progress(bytes: number): void;
  /** For who looks on, a line each. */
  say(text: string): void;
  readonly limits?: FetchLimits;
}

/** @returns the address that had it @throws {ToolError} with what was wrong with each */
export async function fetchFile(wanted: FileWanted, ports: FetchPorts): Promise<string> {
  const problems: string[] = [];
  for (const source of wanted.sources) {
    const part = await PartFile.open(wanted.part, wanted.size_bytes, ports.signal);
    let open = true;
    try {
      ports.progress(part.length);
      await fromSource(new URL(source), part, wanted, ports);
      await part.moveTo(wanted.path);
      open = false;
      return source;
    } catch (error) {
      if (ports.signal.aborted)
        throw new ToolError(
          `${wanted.what} was ended with ${part.length} of ${wanted.size_bytes} bytes there; the next try goes on from them`,
        );
      if (error instanceof DiskError) throw new ToolError(`${wanted.what} failed: ${error.message}`);
      problems.push(`"${source}": ${messageOf(error)}`);
      ports.say(`${source}: ${messageOf(error)}`);
    } finally {
      if (open) await part.close();
      if (part.length === 0) removePart(wanted.part);
    }
  }
  throw new ToolError(`${wanted.what} failed: ${problems.join("; ")}`);
}

/** Leaves a part whose hash is right. @throws {SourceError} when this address is of no use */
async function fromSource(url: URL, part: PartFile, wanted: FileWanted, ports: FetchPorts): Promise<void> {
  for (let again = 0; ; again += 1) {
    await fill(url, part, wanted, ports);
    const digest = part.digest();
    if (digest === wanted.sha256) return;
    const { doubtful } = part;
    await part.empty();
    const problem = `its SHA-256 is ${digest}, not ${wanted.sha256}`;
    if (!doubtful || again > 0) throw new SourceError(`${problem}; nothing of it is kept`);
    ports.say(`${url.href}: put together of several pieces, ${problem}; all of it is fetched anew`);
  }
}

/** Until the part has all bytes. @throws {SourceError} {DiskError} */
async function fill(url: URL, part: PartFile, wanted: FileWanted, ports: FetchPorts): Promise<void> {
  const limits = ports.limits ?? fetch_limits;
  for (let tries = 0; ; ) {
    const before = part.length;
    const problem = await takeRest(url, part, wanted, ports);
    if (part.length === wanted.size_bytes) return;
    tries = part.length > before ? 0 : tries + 1;
    if (tries >= limits.tries_max) throw new SourceError(`${problem.message}, ${tries} times in a row`);
    const wait_ms = Math.min(limits.wait_max_ms, problem.retry_after_ms ?? limits.wait_first_ms * 2 ** Math.max(0, tries - 1));
    ports.say(`${url.href}: ${problem.message}; asked again after ${wait_ms} ms`);
    await sleep(wait_ms, undefined, { signal: ports.signal });
  }
}

/** One connection. @returns why it ended, when it ended too early @throws {SourceError} {DiskError} */
async function takeRest(url: URL, part: PartFile, { size_bytes, redirect_hosts }: FileWanted, ports: FetchPorts): Promise<PassingError> {
  const { stall_ms } = ports.limits ?? fetch_limits;
  const stalled = new AbortController();
  const watch = setTimeout(() => stalled.abort(), stall_ms);
  try {
    const signal = AbortSignal.any([ports.signal, stalled.signal]);
    const validator = part.validatorFor(url.href);
    const rest = await requestRest({ url, redirect_hosts, size_bytes, from: part.length, validator, signal });
    if (rest === null) {
      await part.empty();
      return new PassingError("it has nothing behind what is there; all of it is fetched anew");
    }
    if (rest.from < part.length) await part.empty();
    part.from(url.href, rest.etag);
    for await (const piece of rest.body) {
      watch.refresh();
      const bytes: Uint8Array = piece;
      if (part.length + bytes.length > size_bytes) {
        await part.empty();
        throw new SourceError(`it sends more than the ${size_bytes} bytes that the file has; nothing of it is kept`);
      }
      await part.append(bytes);
      ports.progress(part.length);
    }
    return new PassingError("it ends too early");
  } catch (error) {
    if (ports.signal.aborted || error instanceof DiskError) throw error;
    const problem = stalled.signal.aborted ? new PassingError(`nothing came for ${stall_ms} ms`) : problemOf(error);
    if (problem instanceof SourceError) throw problem;
    return problem;
  } finally {
    clearTimeout(watch);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
