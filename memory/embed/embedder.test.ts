/** With the real model, which `bun models/build.ts` makes (`make check` does so first). */

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MemoryRoom } from "../../wire/model-process/fit.ts";
import { ProcessEmbedder } from "./embedder.ts";

import { queries_max } from "./queue.ts";

// a machine with other work to do takes its time
setDefaultTimeout(120_000);

const model_path = join(import.meta.dir, "../../build/models/all-minilm-l6-v2.gguf");
const command = [process.execPath, join(import.meta.dir, "testing/child.ts")];
const started: ProcessEmbedder[] = [];
afterAll(() => started.forEach((one) => void one.stop()));

interface Options {
  readonly model_path?: string | null;
  readonly room?: () => MemoryRoom;
}

function embedderWith(options: Options = {}): ProcessEmbedder {
  const embedder = new ProcessEmbedder({ command, model_path, lanes: 2, log: () => {}, backoff_first_ms: 10, watch_ms: 20, ...options });
  started.push(embedder);
  return embedder;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end_ms = performance.now() + 50_000;
  while (!holds()) {
    if (performance.now() > end_ms) throw new Error(`waiting for ${what} failed: it did not come`);
    await Bun.sleep(10);
  }
}

async function loaded(options: Options = {}): Promise<ProcessEmbedder> {
  const embedder = embedderWith(options);
  await until("the model", () => embedder.model !== null);
  return embedder;
}

const dot = (a: Float32Array | undefined, b: Float32Array | undefined): number =>
  (a ?? new Float32Array()).reduce((sum, one, at) => sum + one * (b?.[at] ?? 0), 0);

describe.skipIf(!existsSync(model_path))("with the model", () => {
  test("what means the same is nearer than what does not, whatever the words", async () => {
    const embedder = await loaded();
    expect(embedder.model).toMatch(/^all-minilm-l6-v2@[0-9a-f]{12}$/);
    expect(embedder.dimensions).toBe(384);
    const same = [
      ["nginx stopped answering after the update", "The web server does not respond since we upgraded it."],
      ["disk /dev/sda1 is 96 % full", "The data partition is running out of space."],
      ["Failed password for invalid user admin from 203.0.113.7", "Somebody is guessing passwords over SSH."],
      ["eth0: link is down", "The network cable was unplugged."],
    ] as const;
    const [log, said] = await Promise.all(
      [0, 1].map((side) =>
        embedder.embed(
          same.map((pair) => pair[side] ?? ""),
          "background",
        ),
      ),
    );
    for (let at = 0; at < same.length; at += 1) {
      const nearest = [0, 1, 2, 3].toSorted((a, b) => dot(log?.[at], said?.[b]) - dot(log?.[at], said?.[a]))[0];
      expect([same[at]?.[0], nearest]).toEqual([same[at]?.[0], at]);
    }
  });

  test("vectors are in the order of the texts, have length 1, and are the same in any batch and order", async () => {
    const embedder = await loaded();
    const texts = Array.from({ length: 50 }, (_, n) => `service ${n} ended with status ${n % 7} after ${n * 13} ms`);
    const all = await embedder.embed(texts, "background");
    for (const vector of all) expect(dot(vector, vector)).toBeCloseTo(1, 4);
    const other = await loaded();
    const reversed = await other.embed(texts.toReversed(), "query");
    for (const [at, vector] of all.entries()) expect(dot(vector, reversed.at(-1 - at))).toBeCloseTo(1, 5);
  });

  test("text of any kind and length has a vector: empty, long, control characters, half a surrogate pair", async () => {
    const embedder = await loaded();
    const odd = ["", "x".repeat(100_000), "word ".repeat(5000), "\u0000\u0007\u001b[31m", "\ud800 broken", "🚀".repeat(3000), "\u202e"];
    for (const vector of await embedder.embed(odd, "background")) expect(dot(vector, vector)).toBeCloseTo(1, 4);
  });

  test("the same text is computed once, and then known", async () => {
    const embedder = await loaded();
    const [first, second] = await Promise.all([embedder.embed(["twice"], "background"), embedder.embed(["twice", " twice "], "query")]);
    expect(second?.[0]).toEqual(first?.[0] as Float32Array);
    await embedder.embed(["twice"], "query");
    expect(embedder.facts()).toMatchObject({ embedded: 1, embed_cache_hits: 1, embed_queue: 0 });
  });

  test("a query goes before what is made in the background", async () => {
    const embedder = await loaded();
    let background_done = 0;
    const work = Array.from({ length: 120 }, (_, n) =>
      embedder.embed([`line ${n} of a long log: ${"nothing new ".repeat(10)}`], "background").then(() => {
        background_done += 1;
      }),
    );
    await embedder.embed(["who waits for this?"], "query");
    expect(background_done).toBeLessThan(60);
    await Promise.all(work);
    expect(background_done).toBe(120);
  });

  test("what is cancelled is not computed, and the queue is bounded", async () => {
    const embedder = await loaded();
    const controller = new AbortController();
    const texts = Array.from({ length: 200 }, (_, n) => `cancelled ${n} ${"and long ".repeat(30)}`);
    const work = embedder.embed(texts, "background", controller.signal);
    controller.abort();
    await expect(work).rejects.toThrow("it was cancelled");
    await until("the queue to be empty", () => embedder.facts()["embed_queue"] === 0);
    expect(embedder.facts()["embedded"]).toBeLessThan(50);
    const many = Array.from({ length: queries_max + 1 }, (_, n) => `q ${n}`);
    await expect(embedder.embed(many, "query")).rejects.toThrow("too many wait already");
    await expect(embedder.embed(["x"], "query", AbortSignal.abort())).rejects.toThrow();
  });

  test("a process that is killed while it computes comes back, and what was asked is answered", async () => {
    const embedder = await loaded();
    const texts = Array.from({ length: 100 }, (_, n) => `line ${n}: ${"the queue held items ".repeat(10)}`);
    const work = embedder.embed(texts, "background");
    const { pid } = embedder;
    process.kill(pid ?? 0, "SIGKILL");
    expect(await work).toHaveLength(100);
    expect(embedder.pid).not.toBe(pid);
    expect(embedder.facts()).toMatchObject({ embed_restarts: 1, embed_loaded: true });
  });

  test("when memory runs out the model goes, says why, and comes back", async () => {
    const mib = 1024 * 1024;
    let available_bytes = 1024 * mib;
    const embedder = await loaded({ room: () => ({ available_bytes, of: "the machine" }) });
    available_bytes = 10 * mib;
    await until("the model to be unloaded", () => embedder.model === null);
    expect(embedder.reason).toMatch(/the model needs \d+ MiB and the machine has 10 MiB left|unloaded: the machine has only 10 MiB left/);
    await expect(embedder.embed(["x"], "query")).rejects.toThrow("10 MiB left");
    available_bytes = 1024 * mib;
    await until("the model to come back", () => embedder.model !== null);
    expect(await embedder.embed(["x"], "query")).toHaveLength(1);
  });

  test("a machine that is too small has no model, with the figures", () => {
    const embedder = embedderWith({ room: () => ({ available_bytes: 60 * 1024 * 1024, of: "the machine" }) });
    expect(embedder.model).toBeNull();
    expect(embedder.reason).toMatch(/^the model needs 14\d MiB and the machine has 60 MiB left; /);
  });
});

test("no model, and a file that is none: said, with the reason, and no crash", async () => {
  expect(embedderWith({ model_path: null }).reason).toBe("no embedding model is configured");
  const missing = embedderWith({ model_path: "/nonexistent/model.gguf" });
  expect(missing).toMatchObject({ model: null, dimensions: 0, reason: 'there is no model file "/nonexistent/model.gguf"' });
  await expect(missing.embed(["x"], "query")).rejects.toThrow("there is no model file");
  const broken = join(mkdtempSync(join(tmpdir(), "embed-")), "broken.gguf");
  writeFileSync(broken, "this is no model");
  const embedder = embedderWith({ model_path: broken });
  await until("the refusal", () => embedder.reason?.includes("llama.cpp refuses the file") === true);
  expect(embedder.model).toBeNull();
});
