/** The catalogue of models: it can be read, and says nothing that could not be so. */

import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import parseExpression from "spdx-expression-parse";
import { Catalogue, type CatalogueModel, ModelTier, workingBytes } from "../contracts/model/catalogue.ts";
import { readYaml } from "../wire/strict-yaml.ts";
import { sha256Of } from "./check.ts";
import { fileOf, profiles, sentence_model, sentence_model_file, weightsPin } from "./places.ts";

const read = readYaml(readFileSync(join(import.meta.dir, "catalogue.yaml"), "utf8"), Catalogue);
if ("problems" in read) throw new Error(`reading models/catalogue.yaml failed: ${read.problems.join("; ")}`);
const { models } = read.value;

/** Bits that a weight takes on average, tables included; what llama.cpp's own list of quantisations says, with room. */
const bits: Readonly<Record<string, readonly [min: number, max: number]>> = {
  Q4_1: [4.5, 7],
  Q5_0: [5.4, 7],
  Q4_K_M: [4.4, 8.5],
  Q8_0: [7.9, 9.5],
};

function faultsOf(model: CatalogueModel): string[] {
  const { name, parameters_b, quantisation, size_bytes, licence, licence_url, roles, sources } = model;
  const faults: string[] = [];
  const say = (wrong: boolean, what: string): void => void (wrong && faults.push(`${name}: ${what}`));
  const own = licence.startsWith("LicenseRef-");
  say(!isLicence(licence), `"${licence}" is no SPDX identifier`);
  say(own && licence_url === null, `"${licence}" needs the page with its text`);
  const [min, max] = bits[quantisation] ?? [0, 0];
  const bits_each = (size_bytes * 8) / (parameters_b * 1e9);
  say(bits_each < min || bits_each > max, `${bits_each.toFixed(1)} bits a weight is not what ${quantisation} takes`);
  say(roles.includes("operational") && parameters_b > 4, "too large for the operational tier");
  say(model.context_used_tokens > model.context_tokens, "more context is asked for than it has");
  say(!roles.includes("embedding") && model.kv_bytes_per_token === 0, "a model that writes has keys and values");
  say(!roles.includes("embedding") && model.chat_format === "none", "a model to talk with has a chat format");
  say(new Set(sources).size !== sources.length, "a source stands twice");
  // a quantisation is in the name, so that two of one model can be told apart
  say(!name.includes(quantisation.toLowerCase()) && !sources.every((one) => one.startsWith("package:")), "its name lacks the quantisation");
  return faults;
}

function isLicence(text: string): boolean {
  try {
    parseExpression(text);
    return true;
  } catch {
    return false;
  }
}

test("every model is possible", () => {
  expect(models.flatMap(faultsOf)).toEqual([]);
});

test("names and files differ", () => {
  for (const key of ["name", "sha256"] as const) {
    const values = models.map((model) => model[key]).filter((value) => value !== null);
    expect(new Set(values).size).toBe(values.length);
  }
});

test("there are models of each role for small and large machines", () => {
  const of = (role: string): CatalogueModel[] => models.filter(({ roles }) => (roles as readonly string[]).includes(role));
  const needs = (model: CatalogueModel): number => model.size_bytes + workingBytes(model);
  for (const [role, least, most] of [
    ["operational", 0.4e9, 2e9],
    ["tactical", 0.4e9, 7e9],
  ] as const) {
    expect(Math.min(...of(role).map(needs)), role).toBeLessThan(least);
    expect(Math.max(...of(role).map(needs)), role).toBeGreaterThan(most);
  }
  expect(of("embedding").length).toBeGreaterThan(1);
  expect(ModelTier.options).toEqual(["operational", "tactical"]);
});

test("what the image carries is in the catalogue, with the same licence, and may be handed on", () => {
  for (const { models: carried } of Object.values(profiles))
    for (const { name, licence } of carried) expect(models.find((one) => one.name === name)).toMatchObject({ name, licence });
  for (const model of profiles.edge.models)
    if (existsSync(fileOf(model))) expect(sha256Of(fileOf(model))).toBe(models.find(({ name }) => name === model.name)?.sha256 ?? "none");
});

test("the sentence model is the one that the build makes", () => {
  const listed = models.find(({ name }) => name === sentence_model.name);
  expect(listed?.sha256).toBe(readFileSync(join(import.meta.dir, sentence_model.name, "model.sha256"), "utf8").trim());
  expect(listed?.licence).toBe(sentence_model.licence);
  expect(weightsPin(sentence_model).version).not.toBe("");
  if (existsSync(sentence_model_file)) expect(listed?.size_bytes).toBe(statSync(sentence_model_file).size);
});

test("what is impossible is found", () => {
  const [first] = models;
  if (first === undefined) throw new Error("the catalogue is empty");
  expect(faultsOf({ ...first, licence: "Apache 2" }).join()).toContain("no SPDX identifier");
  expect(faultsOf({ ...first, licence: "LicenseRef-Own", licence_url: null }).join()).toContain("needs the page");
  expect(faultsOf({ ...first, size_bytes: first.size_bytes * 3 }).join()).toContain("bits a weight");
  for (const source of ["http://example.org/x.gguf", "ftp://x/y", "https://x.org/a b", "file:///etc/passwd", "http://127.0.0.1.evil.org/x"])
    expect(Catalogue.shape.models.element.safeParse({ ...first, sources: [source] }).success, source).toBe(false);
});
