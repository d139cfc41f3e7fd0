/** Random requests at a live console: it never crashes, and says what is wrong in the form it promises. */

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import fc from "fast-check";
import { Problem, type Route, routes } from "../contracts/console.ts";
import { startWorld, type World } from "./testing/world.ts";

/** Bytes that the console may grow by over the whole run. */
const growth_bytes_max = 192 * 1024 * 1024;
const answer_ms_max = 5000;

interface Request_ {
  readonly method: string;
  readonly target: string;
  readonly body: string | null;
  readonly type: string;
}

/**
 * @param seed makes the same cases again
 * @param tried called after each case
 */
export async function fuzzConsole(cases: number, seed: number, tried: () => void = () => {}): Promise<void> {
  const world = await startWorld();
  try {
    const requests = Math.ceil(cases * 0.8);
    await tryRequest(world, { method: "GET", target: "/v1/status", body: null, type: "" });
    const before_bytes = rss(world.console_pid);
    await fc.assert(
      fc.asyncProperty(request, (one) => tryRequest(world, one).then(tried)),
      { numRuns: requests, seed },
    );
    await fc.assert(
      fc.asyncProperty(bytes, (one) => tryBytes(world, one).then(tried)),
      { numRuns: cases - requests, seed },
    );
    const status = await world.get("/v1/status");
    if (!world.console_alive() || status.status !== 200) throw new Error("fuzzing the console failed: it does not answer any more");
    const grown = rss(world.console_pid) - before_bytes;
    if (grown > growth_bytes_max)
      throw new Error(`fuzzing the console failed: it grew by ${grown} bytes over ${cases} cases (seed ${seed})`);
  } finally {
    await world.close();
  }
}

const known_paths = Object.values(routes).map((route: Route) => route.path);
const word = fc.oneof(fc.constantFrom("memory", "console", "..", "%00", "%zz", "a".repeat(300)), fc.string({ maxLength: 20 }).map(encode));
const path = fc.oneof(
  fc.tuple(fc.constantFrom(...known_paths), word).map(([known, value]) => known.replace(/\{\w+\}/, value)),
  fc.array(word, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`),
);
const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom("lines", "service", "kind", "interval_ms"), word), word), { maxLength: 4 });
const body = fc.option(
  fc.oneof(fc.json(), fc.string(), fc.constant('{"reason":"fuzzing"}'), fc.constant(`{"reason":"${"x".repeat(70_000)}"}`)),
);
const request = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"),
  target: fc
    .tuple(path, query)
    .map(([where, pairs]) => (pairs.length === 0 ? where : `${where}?${pairs.map((pair) => pair.join("=")).join("&")}`)),
  body,
  type: fc.constantFrom("application/json", "text/plain", ""),
});

const line = fc.constantFrom(
  "GET /v1/status HTTP/1.1",
  "POST /v1/system/reboot HTTP/1.1",
  "GET / HTTP/9.9",
  "BREW /x HTTP/1.1",
  "GET  HTTP/1.1",
);
const header = fc.oneof(
  fc.constantFrom(
    "Host: x",
    "Content-Length: -1",
    "Content-Length: 99999999999",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "X: \u0001",
  ),
  fc.string({ maxLength: 40 }),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc
    .tuple(line, fc.array(header, { maxLength: 6 }), fc.uint8Array({ maxLength: 200 }))
    .map(([first, headers, rest]) => Buffer.concat([Buffer.from(`${[first, ...headers].join("\r\n")}\r\n\r\n`, "latin1"), rest])),
);

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

async function tryRequest(world: World, one: Request_): Promise<void> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), answer_ms_max);
  try {
    const sends_body = one.body !== null && one.method !== "GET" && one.method !== "HEAD";
    const response = await world.get(one.target, {
      method: one.method,
      signal: stop.signal,
      ...(sends_body ? { body: one.body ?? "", headers: one.type === "" ? {} : { "content-type": one.type } } : {}),
    });
    if (one.target.startsWith("/v1/metrics/stream") && response.ok) {
      stop.abort();
      return;
    }
    const text = await response.text();
    if (one.method !== "HEAD") check(one, response, text);
  } finally {
    clearTimeout(timer);
  }
  if (!world.console_alive()) throw new Error(`the console died of ${JSON.stringify(one)}`);
}

/** 200 with what the route promises (the server checks that itself), or a problem document. */
function check(one: Request_, response: Response, text: string): void {
  const type = response.headers.get("content-type") ?? "";
  if (response.status === 200) {
    if (!type.startsWith("application/json") && !type.startsWith("application/x-ndjson"))
      throw new Error(`200 with "${type}" to ${one.target}`);
    for (const part of type.startsWith("application/json") ? [text] : text.split("\n").filter((row) => row !== "")) JSON.parse(part);
    return;
  }
  if (type !== "application/problem+json")
    throw new Error(`${response.status} with "${type}" to ${one.method} ${one.target}: ${text.slice(0, 200)}`);
  const problem = Problem.parse(JSON.parse(text));
  if (problem.status !== response.status) throw new Error(`the problem says ${problem.status}, the response ${response.status}`);
}

/** Whatever comes in, what comes out is HTTP or the end of the connection. */
async function tryBytes(world: World, sent: Uint8Array): Promise<void> {
  const answer = await new Promise<string>((resolve) => {
    let text = "";
    const socket = connect(world.socket, () => socket.end(Buffer.from(sent)));
    const timer = setTimeout(() => socket.destroy(), 300);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
  if (answer !== "" && !answer.startsWith("HTTP/1.1 ")) throw new Error(`answered ${JSON.stringify(answer.slice(0, 80))}`);
  if (!world.console_alive()) throw new Error("the console died of raw bytes");
}

function rss(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) * 1024;
}
