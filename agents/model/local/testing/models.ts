/** The real models, which `bun models/testing/fetch.ts` brings (`make check` does so first), for tests of this room. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ModelInUse } from "../../../../contracts/model/catalogue.ts";
import { gemma3, smollm2, testModelFile, testModelInUse } from "../../../../models/testing/language.ts";
import { LocalModel, type LocalModelOptions } from "../local-model.ts";

export const has_models = [smollm2, gemma3].every((model) => existsSync(testModelFile(model)));
export const small = (changed: Partial<ModelInUse> = {}): ModelInUse => testModelInUse(smollm2, changed);
export const plain = (changed: Partial<ModelInUse> = {}): ModelInUse => testModelInUse(gemma3, changed);
export const think_command = [process.execPath, join(import.meta.dir, "child.ts")];

const gibibyte = 1024 * 1024 * 1024;
const plenty = (): { available_bytes: number; of: string } => ({ available_bytes: 8 * gibibyte, of: "the machine" });

/** One thread: the machine of the tests has other things to do. */
export function openModel(model: ModelInUse, changed: Partial<LocalModelOptions> = {}): LocalModel {
  return new LocalModel({
    command: think_command,
    model,
    threads: { usual: 1, idle: 1 },
    room: plenty,
    log: () => {},
    backoff_first_ms: 10,
    watch_ms: 20,
    grace_ms: 300_000,
    ...changed,
  });
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  const end_ms = performance.now() + 200_000;
  while (!holds()) {
    if (performance.now() > end_ms) throw new Error(`waiting for ${what} failed: it did not come`);
    await Bun.sleep(10);
  }
}

export async function loadedModel(model: ModelInUse, changed: Partial<LocalModelOptions> = {}): Promise<LocalModel> {
  const opened = openModel(model, changed);
  await until("the model to be loaded", () => opened.loaded !== null);
  return opened;
}
