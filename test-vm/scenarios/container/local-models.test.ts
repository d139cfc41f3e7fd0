/** Models of the image on a running system: chosen, told to the tiers, measured in a sandbox, and given back when they do not load. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ListedModels } from "../../../contracts/model/listed.ts";
import { small_model } from "../../../models/places.ts";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { serviceStatus } from "../expect.ts";

let container: Container;
let aiosctl: Aiosctl;

beforeAll(async () => {
  container = await startContainer({ data: newFolder("data") });
  await container.ready("all");
  aiosctl = new Aiosctl(container.console_socket);
}, 60_000);
afterAll(() => container?.kill());

const listed = async (): Promise<ListedModels> => ListedModels.parse((await aiosctl.done("model.list", {})).structuredContent);

test("each tier is given the model of the image by the system, on record, and sees its file and nobody else's folder", async () => {
  const found = await waitFor(
    "both tiers to have a model",
    async () => {
      const answer = await listed();
      return answer.tiers.every(({ model }) => model === small_model.name) ? answer : null;
    },
    { limit_ms: 180_000, every_ms: 500 },
  );
  expect(found.models.find(({ name }) => name === small_model.name)).toMatchObject({
    origin: "image",
    used_by: ["operational", "tactical"],
  });
  expect(found.tiers.every(({ pinned }) => !pinned)).toBe(true);
  const reason = "is the largest that fits and is quick enough";
  const audited = async (): Promise<boolean> => (await aiosctl.run("audit", "--tool", "model.use")).out.split(reason).length > 2;
  await waitFor("both choices on record, which they are when the tiers have loaded the model", audited, { limit_ms: 120_000 });
  for (const tier of ["operational", "tactical"]) {
    const pid = container.hostPid((await serviceStatus(container.console, tier)).pid ?? 0);
    const inside = `/proc/${pid}/root`;
    const told: unknown = JSON.parse(readFileSync(join(inside, `run/aios/models/${tier}.json`), "utf8"));
    expect(told).toMatchObject({ name: small_model.name, path: `/usr/lib/aios/models/${small_model.name}.gguf` });
    expect([existsSync(join(inside, "var/lib/aios/models")), existsSync(join(inside, "var/lib/aios/broker"))]).toEqual([true, false]);
    const says = async (): Promise<boolean> => (await serviceStatus(container.console, tier)).health?.facts["model"] === small_model.name;
    await waitFor("the tier to say which model it has", says, { limit_ms: 30_000 });
  }
}, 360_000);

test("it is whole, and is measured in a sandbox of its own", async () => {
  expect((await aiosctl.done("model.verify", { name: small_model.name })).structuredContent).toMatchObject({ whole: true });
  const { structuredContent } = await aiosctl.done("model.bench", { name: small_model.name, threads: 1 });
  expect(Number(structuredContent?.["tokens_s"])).toBeGreaterThan(0);
  expect((await listed()).models.find(({ name }) => name === small_model.name)?.speed).toMatchObject({ threads: 1 });
}, 300_000);

test("what the image carries is neither removed nor fetched, and no file tool writes beside it", async () => {
  expect((await aiosctl.call("model.remove", { name: small_model.name }))._meta.text).toContain(
    "it comes with the image, which is read-only",
  );
  expect((await aiosctl.call("model.pull", { name: "all-minilm-l6-v2" }))._meta.status).toBe("done"); // it is here
  const refused = await aiosctl.call("fs.write", { path: "/var/lib/aios/models/x.gguf", content: "x", how: "write" });
  expect([refused._meta.status, refused._meta.policies]).toEqual(["refused", ["never-model-files"]]);
}, 60_000);
