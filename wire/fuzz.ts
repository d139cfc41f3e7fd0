/** Random and mutated frames at the listening side of a service's socket: it survives, and answers or hangs up. */

import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { init_methods, init_notifications } from "../contracts/init.ts";
import { callerSocket } from "../contracts/paths.ts";
import { frame_bytes_max } from "../contracts/rpc.ts";
import { FrameDecoder } from "./frame.ts";
import { startFakeInit } from "./testing/fake-init.ts";
import { connectUnix, silent } from "./unix.ts";

/** Asked at the end of every case; its answer shows that what came before has been dealt with. */
const probe = { jsonrpc: "2.0", id: 999_999, method: "system.status", params: {} };
/** Milliseconds; long, for a busy machine. */
const wait_ms = 20_000;

export interface Frames {
  readonly cases: number;
  /** Makes the same cases again. */
  readonly seed: number;
  /** Messages that are taken, most of the time. */
  readonly likely?: fc.Arbitrary<unknown>;
  /** Called after each case; throws when something is not as it must be. */
  readonly holds: () => void;
}

/** Sends each case to one of the sockets. @throws when one neither answers nor hangs up, or nearly none is answered */
export async function fuzzSockets(paths: readonly string[], { cases, seed, likely = message, holds }: Frames): Promise<void> {
  const piece = pieceOf(fc.oneof(likely, message).map((value) => frame(JSON.stringify(value))));
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), fc.array(piece, { minLength: 1, maxLength: 6 }), async (path, pieces) => {
      const end = await send(path, Buffer.concat([...pieces, frame(JSON.stringify(probe))]), pieces.some(mayStall));
      if (end === "silent") throw new Error("it neither answered nor hung up");
      if (end === "answered") answered += 1;
      holds();
    }),
    { numRuns: cases, seed },
  );
  if (answered < cases / 10) throw new Error(`only ${answered} of ${cases} cases were answered`);
}

/**
 * @param seed makes the same cases again
 * @param tried called after each case
 */
export async function fuzzListener(cases: number, seed: number, tried: () => void = () => {}): Promise<void> {
  const run = mkdtempSync(join(tmpdir(), "wire-fuzz-"));
  const init = startFakeInit(run, "reactive");
  const path = callerSocket("init", "reactive", run);
  const holds = (): void => {
    init.calls.length = 0;
    init.ready.length = 0;
    init.healths.length = 0;
    tried();
  };
  try {
    await fuzzSockets([path], { cases, seed, holds });
    const peer = await connectUnix(path, { ...silent, calls: init_methods, tells: init_notifications });
    const status = await peer.call("system.status", {});
    peer.close("fuzzing is over");
    if (status.state !== "running") throw new Error(`fuzzing the sockets of services failed: the server says "${status.state}" afterwards`);
  } finally {
    init.close();
    rmSync(run, { recursive: true, force: true });
  }
}

const method = fc.oneof(
  fc.constantFrom(...Object.keys(init_methods), ...Object.keys(init_notifications), "__proto__", "constructor"),
  fc.string(),
);
const id = fc.oneof(fc.nat(), fc.integer(), fc.double(), fc.string(), fc.constant(null));
const message = fc.oneof(
  fc.record({ jsonrpc: fc.constant("2.0"), id, method, params: fc.jsonValue() }),
  fc.record({ jsonrpc: fc.constant("2.0"), method, params: fc.jsonValue() }),
  fc.record({ jsonrpc: fc.constantFrom("2.0", "1.0"), id, result: fc.jsonValue() }),
  fc.record({ jsonrpc: fc.constant("2.0"), id, error: fc.record({ code: fc.integer(), message: fc.string() }) }),
  fc.jsonValue(),
);
const oversized = fc.integer({ min: frame_bytes_max + 1, max: 0xffff_ffff }).map((length) => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length);
  return header;
});
const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** @param whole frames as they should be */
function pieceOf(whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
  const mutated = fc.tuple(whole, changes).map(([bytes, places]) => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of places) copy[at % copy.length] = value;
    return copy;
  });
  const cut = fc.tuple(whole, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % bytes.length));
  return fc.oneof({ weight: 8, arbitrary: whole }, { weight: 3, arbitrary: mutated }, cut, oversized, noise);
}

/** A cut or changed length may leave the server waiting for the rest: then silence is right, and we hang up. */
function mayStall(bytes: Buffer): boolean {
  if (bytes.length < 4) return true;
  return bytes.readUInt32BE(0) !== bytes.length - 4;
}

function send(path: string, bytes: Buffer, may_stall: boolean): Promise<"answered" | "closed" | "silent" | "stalled"> {
  return new Promise((resolve) => {
    const decoder = new FrameDecoder();
    const socket = connect(path, () => socket.write(bytes));
    const done = (how: "answered" | "closed" | "silent" | "stalled"): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(how);
    };
    const timer = setTimeout(() => done(may_stall ? "stalled" : "silent"), may_stall ? 15 : wait_ms);
    socket.on("data", (chunk) => {
      const answers = decoder.push(Buffer.from(chunk));
      if (answers.some((one) => JSON.stringify(one).includes(`"id":${probe.id}`))) done("answered");
    });
    socket.on("error", () => done("closed"));
    socket.on("close", () => done("closed"));
  });
}

function frame(text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(content.length);
  return Buffer.concat([header, content]);
}
