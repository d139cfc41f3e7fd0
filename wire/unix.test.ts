import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { frame_bytes_max, rpc_error } from "../contracts/rpc.ts";
import { FrameDecoder } from "./frame.ts";
import { RpcError } from "./peer.ts";
import { connectUnix, type Listening, listenUnix, silent } from "./unix.ts";

const methods = {
  add: { params: z.strictObject({ a: z.number(), b: z.number() }), result: z.number() },
  hang: { params: z.strictObject({}), result: z.null() },
  forbidden: { params: z.strictObject({}), result: z.null() },
} as const;

const folder = mkdtempSync(join(tmpdir(), "wire-"));
const path = join(folder, "sock");
let listening: Listening | null = null;
const heard: string[] = [];

function serve(): void {
  listening = listenUnix(path, 0o600, () => ({
    serves: { methods, handlers: { add: ({ a, b }) => a + b, hang: () => new Promise<null>(() => {}), forbidden: () => null } },
    hears: { notifications: { word: z.string() }, listeners: { word: (word: string) => void heard.push(word) } },
    calls: {},
    tells: {},
    refuses: (method: string) => (method === "forbidden" ? "not for you" : null),
  }));
}

const client = () => connectUnix(path, { ...silent, calls: methods, tells: { word: z.string() } });

afterEach(() => {
  listening?.close();
  heard.length = 0;
});

/** Sends raw bytes and gives what came back until the connection ended or `wait_ms` passed. */
function raw(bytes: Uint8Array, wait_ms = 200): Promise<{ messages: unknown[]; ended: boolean }> {
  return new Promise((resolve) => {
    const decoder = new FrameDecoder();
    const messages: unknown[] = [];
    const socket: Socket = connect(path, () => socket.write(bytes));
    const timer = setTimeout(() => {
      socket.destroy();
      resolve({ messages, ended: false });
    }, wait_ms);
    socket.on("data", (chunk) => messages.push(...decoder.push(Buffer.from(chunk))));
    socket.on("close", () => {
      clearTimeout(timer);
      resolve({ messages, ended: true });
    });
  });
}

function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

test("a call is answered, a notification is heard, the socket has its mode", async () => {
  serve();
  const peer = await client();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await peer.call("add", { a: 2, b: 3 })).toBe(5);
  peer.tell("word", "hello");
  await peer.call("add", { a: 0, b: 0 });
  expect(heard).toEqual(["hello"]);
  peer.close("test is over");
});

test("wrong parameters, a missing method, a refusal and a time-out each have their code", async () => {
  serve();
  const peer = await client();
  const code = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => (error instanceof RpcError ? error.code : String(error)),
    );
  expect(await code(peer.call("add", { a: 1, b: "x" as unknown as number }))).toBe(rpc_error.invalid_params);
  expect(await code(peer.call("forbidden", {}))).toBe(rpc_error.not_permitted);
  expect(await code(peer.call("hang", {}, 20))).toBe(rpc_error.timeout);
  const hasty = await connectUnix(path, { ...silent, calls: methods, tells: {}, answer_limit_ms: 10 });
  await expect(hasty.call("hang", {})).rejects.toThrow("no answer within 10 ms");
  hasty.close("test is over");
  peer.close("test is over");
  expect(await code(peer.call("add", { a: 1, b: 1 }))).toBe(rpc_error.unavailable);
});

test("a connection that goes away fails the open calls", async () => {
  serve();
  const peer = await client();
  const open = peer.call("hang", {}).catch((error: unknown) => (error instanceof RpcError ? error.code : error));
  listening?.close();
  expect(await open).toBe(rpc_error.unavailable);
});

test("many large messages arrive whole and in order although the reader is slow", async () => {
  serve();
  const peer = await client();
  for (let i = 0; i < 40; i += 1) peer.tell("word", `${i}`.padEnd(100_000, "."));
  await peer.call("add", { a: 1, b: 1 });
  expect(heard.map((word) => Number.parseInt(word, 10))).toEqual([...Array(40).keys()]);
});

test("an oversized header and broken JSON end the connection; nonsense JSON is answered", async () => {
  serve();
  const huge = Buffer.alloc(8);
  huge.writeUInt32BE(frame_bytes_max + 1);
  expect((await raw(huge)).ended).toBe(true);
  expect((await raw(frame("{"))).ended).toBe(true);
  expect((await raw(frame('"\\ud800"'))).ended).toBe(false);
  const answer = await raw(frame('{"jsonrpc":"1.0"}'));
  expect(answer).toMatchObject({ ended: false, messages: [{ id: null, error: { code: rpc_error.invalid_request } }] });
  const proto = await raw(frame('{"jsonrpc":"2.0","id":1,"method":"__proto__","params":{}}'));
  expect(proto.messages).toMatchObject([{ id: 1, error: { code: rpc_error.method_not_found } }]);
});

test("what fills a frame is refused in a few words: the refusal, which quotes it, has to fit too", async () => {
  serve();
  const { messages } = await raw(
    frame(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "hang", params: { ["k".repeat(frame_bytes_max - 80)]: 1 } })),
  );
  expect(messages).toMatchObject([{ id: 1, error: { code: rpc_error.invalid_params } }]);
  expect(JSON.stringify(messages).length).toBeLessThan(5000);
});

process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
