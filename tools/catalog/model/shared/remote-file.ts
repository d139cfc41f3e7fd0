/** One try at the rest of a file from one address: redirects within limits, a range, and what the answer has to be. */

import type { IncomingMessage } from "node:http";
import { ToolError } from "../../../tool.ts";
import { reach } from "../../net/shared/network.ts";
import { resolveRemote } from "../../net/shared/remote.ts";
import { hostOf, portOf, sendRequest } from "../../shared/request.ts";

const redirects_max = 5;
const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** This address will not do, however often it is asked. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** It may do later. */
export class PassingError extends Error {
  override readonly name = "PassingError";
  readonly retry_after_ms: number | null;

  constructor(message: string, retry_after_ms: number | null = null) {
    super(message);
    this.retry_after_ms = retry_after_ms;
  }
}

export interface Wanted {
  readonly url: URL;
  /** Hosts besides its own to which it may redirect; `*.` for any name before it. */
  readonly redirect_hosts: readonly string[];
  readonly size_bytes: number;
  /** Bytes that are there already. */
  readonly from: number;
  /** The ETag that they came with. */
  readonly validator: string | null;
  readonly signal: AbortSignal;
}

interface Rest {
  readonly body: IncomingMessage;
  /** 0: the whole file comes, whatever was asked for. */
  readonly from: number;
  /** A strong one (RFC 9110, 8.8.3), or null. */
  readonly etag: string | null;
}

/** @returns null when the file ends before what is asked for @throws {SourceError} {PassingError} */
export async function requestRest(wanted: Wanted): Promise<Rest | null> {
  const { from, validator } = wanted;
  const headers = {
    "accept-encoding": "identity",
    ...(from === 0 ? {} : { range: `bytes=${from}-` }),
    ...(from === 0 || validator === null ? {} : { "if-range": validator }),
  };
  const answer = await follow(wanted, headers);
  let rest: Rest | null = null;
  try {
    rest = judge(answer, wanted);
  } finally {
    if (rest === null) answer.destroy();
  }
  return rest;
}

async function follow({ url: first, redirect_hosts, signal }: Wanted, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  const origin = hostOf(first);
  let url = first;
  let near: string | null = null;
  for (let redirects = 0; redirects <= redirects_max; redirects += 1) {
    const { address } = await resolveRemote(hostOf(url), portOf(url), "read", `asking "${url.host}"`).catch((error: unknown) => {
      throw new PassingError(error instanceof Error ? error.message : String(error));
    });
    const where = reach(address);
    near ??= where;
    // a server outside must not make this machine ask itself, or its neighbours
    if (where !== near && where !== "public") throw new SourceError(`it redirects to "${url.host}", which is ${where}`);
    const answer = await sendRequest({ url, address, headers, signal });
    if (!redirecting.has(answer.statusCode ?? 0)) return answer;
    answer.destroy();
    const { location } = answer.headers;
    if (location === undefined || !URL.canParse(location, url.href)) throw new SourceError("it redirects without saying where to");
    const next = new URL(location, url);
    if (next.protocol !== url.protocol) throw new SourceError(`it redirects from ${url.protocol} to ${next.protocol}`);
    if (next.username !== "" || next.password !== "") throw new SourceError("it redirects to an address with a user name in it");
    if (hostOf(next) !== origin && !redirect_hosts.some((one) => fits(hostOf(next), one)))
      throw new SourceError(`it redirects to "${next.host}", which is not among the catalogue's redirect_hosts`);
    url = next;
  }
  throw new SourceError(`it redirects more than ${redirects_max} times`);
}

export function fits(host: string, pattern: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

function judge(answer: IncomingMessage, { size_bytes, from }: Wanted): Rest | null {
  const status = answer.statusCode ?? 0;
  const { etag: tag, "content-encoding": encoding } = answer.headers;
  const etag = tag?.startsWith('"') === true ? tag : null;
  if (status === 429 || status >= 500)
    throw new PassingError(`it answers with status ${status}`, retryAfter(answer.headers["retry-after"]));
  if (status === 416) return null;
  if (status !== 200 && status !== 206) throw new SourceError(`it answers with status ${status}`);
  if (encoding !== undefined && encoding !== "identity") throw new SourceError(`it sends the file encoded as ${encoding}`);
  const begins = status === 200 ? 0 : from;
  const total = status === 200 ? lengthOf(answer) : rangeOf(answer, from);
  if (total !== null && total !== size_bytes) throw new SourceError(`its file has ${total} bytes, not ${size_bytes}`);
  return { body: answer, from: begins, etag };
}

function lengthOf({ headers }: IncomingMessage): number | null {
  const text = headers["content-length"];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** @returns of how many bytes in all, or null where it does not say */
function rangeOf({ headers }: IncomingMessage, from: number): number | null {
  const [, first, total] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(headers["content-range"] ?? "") ?? [];
  if (first === undefined || Number(first) !== from) throw new SourceError(`asked for what follows byte ${from} it sends something else`);
  return total === "*" ? null : Number(total);
}

function retryAfter(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) * 1000 : null;
}

/** What every failure is here, whatever threw it. */
export function problemOf(error: unknown): SourceError | PassingError {
  if (error instanceof SourceError || error instanceof PassingError) return error;
  if (error instanceof ToolError) return new SourceError(error.message);
  return new PassingError(error instanceof Error ? error.message : String(error));
}
