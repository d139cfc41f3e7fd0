/** A context for calling the functions of a tool in tests: the real system, places in a temporary folder. */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxSystem } from "../../sys/linux.ts";
import type { System } from "../../sys/system.ts";
import type { Context, Places, State } from "../context.ts";
import type { Target, Tool } from "../tool.ts";
import type { Vault } from "../vault/vault.ts";
import { plainImages } from "./images.ts";

export interface TestContext extends Context {
  /** What was put out to those who follow. */
  readonly outputs: { readonly stream: "stdout" | "stderr"; readonly text: string }[];
  /** Cancels the call. */
  cancel(): void;
}

export interface TestPlaces {
  readonly sys: System;
  /** A folder for the test's own files; goes away with the rest. */
  readonly work: string;
  readonly places: Places;
  /** A context for the next call. */
  context(over?: Partial<Context>): TestContext;
  remove(): void;
}

let system: System | null = null;

/** Roles of the executable, from the checkout. */
export const checkout_aios = [process.execPath, join(import.meta.dir, "../../main.ts")] as const;

/** One for a test file. @param base where its folder is made */
export function testPlaces(base: string = tmpdir()): TestPlaces {
  system ??= linuxSystem();
  const sys = system;
  const root = mkdtempSync(join(base, "aios-tools-"));
  const nowhere = { pin: join(root, "userland.json"), file: join(root, "userland.erofs") };
  const places: Places = {
    ...{ run: join(root, "run"), data: join(root, "data"), broker: join(root, "data", "broker"), cgroup: null },
    userland: nowhere,
    models: { catalogue: join(root, "catalogue.yaml"), image: join(root, "image-models") },
    aios: checkout_aios,
  };
  const work = join(root, "work");
  for (const folder of [places.run, places.broker, work]) mkdirSync(folder, { recursive: true });
  let calls = 0;
  return {
    ...{ sys, work, places },
    context(over = {}) {
      const call = `00000000-call-${++calls}`;
      const abort = new AbortController();
      const outputs: TestContext["outputs"] = [];
      return {
        ...{
          call,
          sys,
          places,
          outputs,
          signal: abort.signal,
          mode: "container",
          init: null,
          logs: null,
          memory: null,
          principal: "system",
          role: null,
          owner: null,
          tainted: [],
        },
        exec: { run: unforeseen, ok: unforeseen, start: unforeseen, adopt: unforeseen, endCall: unforeseen },
        images: plainImages(join(places.broker, "images", call), call),
        state: memoryState(),
        vault: unforeseenVault,
        clock: { now_ms: () => Date.now(), boot_ms: () => sys.clock.nowMs("boottime") },
        output: (stream, text) => outputs.push({ stream, text }),
        cancel: () => abort.abort(new Error("cancelled by the test")),
        ...over,
      };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function unforeseen(): never {
  throw new Error("starting a program failed: this test's context has no exec; give it one");
}

const unforeseenVault: Vault = new Proxy({} as Vault, {
  get: (): never => {
    throw new Error("opening a secret failed: this test's context has no vault; give it one");
  },
});

export function memoryState(): State {
  const values = new Map<string, unknown>();
  return {
    get: (key) => values.get(key),
    put: (key, value) => values.set(key, structuredClone(value)),
    delete: (key) => values.delete(key),
    list: (prefix = "") =>
      [...values]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => ({ key, value })),
  };
}

/** What a call left behind: enough to take it back. */
export interface Made<O, S> {
  readonly output: O;
  readonly image: S | null;
  readonly undo: () => Promise<void>;
  readonly settled: () => Promise<boolean>;
}

/**
 * Calls a tool as the pipeline does, without permission and record: parse, resolve, preview, snapshot, run, output schema,
 * verify. The image goes through JSON as it does in the audit.
 * @param hooks.before_run looks on between snapshot and run
 * @throws what the tool throws; nothing is undone then
 */
export async function callTool<I, O, T extends Target, S>(
  tool: Tool<I, O, T, S>,
  raw: unknown,
  context: Context,
  hooks: { readonly before_run?: (image: S | null) => void | Promise<void> } = {},
): Promise<Made<O, S>> {
  const input = tool.input.parse(raw);
  const target = await tool.resolve(input, context);
  try {
    await tool.preview?.(target, input, context);
    const taken = tool.snapshot === undefined ? null : await tool.snapshot(target, input, context);
    const image = taken === null || tool.image === null ? null : tool.image.parse(JSON.parse(JSON.stringify(taken)));
    await hooks.before_run?.(image);
    const output = tool.output.parse(await tool.run(target, input, context));
    await tool.verify?.(target, input, output, context);
    return { output, image, ...takeBack(tool, image, { call: context.call, input, output }, context) };
  } finally {
    target.close?.();
  }
}

/** The way back of a call, also of one whose run was cut off (`output` null). */
export function takeBack<I, O, T extends Target, S>(
  tool: Tool<I, O, T, S>,
  image: S | null,
  past: { readonly call: string; readonly input: I; readonly output: O | null },
  context: Context,
): { readonly undo: () => Promise<void>; readonly settled: () => Promise<boolean> } {
  if (image === null) return { undo: async () => {}, settled: async () => false };
  return {
    async undo() {
      await tool.undo?.(image, past, context);
      await tool.verifyUndone?.(image, past, context);
    },
    settled: async () => (await tool.settled?.(image, past, context)) ?? false,
  };
}
