/** model.pull */

import { existsSync, rmSync } from "node:fs";
import { z } from "zod";
import { type CatalogueModel, ModelName } from "../../../contracts/model/catalogue.ts";
import { syncFolder } from "../../../wire/files.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { resolveRemote } from "../net/shared/remote.ts";
import { hostOf, portOf } from "../shared/request.ts";
import { catalogueOf, demandFetchable, modelNamed } from "./shared/catalogue.ts";
import { fetchFile } from "./shared/fetch.ts";
import { teller } from "./shared/progress.ts";
import { modelResource } from "./shared/resource.ts";
import { usersOf } from "./shared/selection.ts";
import { demandRoom, fetchedPath, hashOf, modelsFolder, partBytes, partPath, prepareFolder, presentFile } from "./shared/store.ts";

const hour_ms = 3_600_000;
const timeout_ms_max = 24 * hour_ms;

const Input = z.lazy(() =>
  z.strictObject({
    name: ModelName.describe("of the catalogue: qwen3-4b-instruct-2507-q4_k_m"),
    timeout_ms: z
      .number()
      .int()
      .min(1000)
      .max(timeout_ms_max)
      .default(6 * hour_ms)
      .describe("milliseconds for all of it; what has come by then is kept"),
  }),
);
type Input = z.infer<typeof Input>;

const Output = z.lazy(() =>
  z.strictObject({
    path: z.string(),
    size_bytes: z.number().int(),
    sha256: z.string(),
    source: z.string().nullable().describe("the address that had it; null: it was here"),
    took_ms: z.number(),
  }),
);
type Output = z.infer<typeof Output>;

/** Whether it was here. */
const Image = z.lazy(() => z.strictObject({ name: ModelName, present: z.boolean() }));

interface PullTarget extends Target {
  readonly model: CatalogueModel;
}

export const modelPull = defineTool<Input, Output, PullTarget, z.infer<typeof Image>>({
  name: "model.pull",
  title: "Fetch a model",
  description:
    "Fetches the file of a model of the catalogue from its publisher, goes on where an earlier try ended, and keeps it only when its SHA-256 is the catalogue's. Fails before it begins when the disk has no room. Takes minutes to hours. What it fetched is not used by a tier before model.use, or before the system chooses it by itself. For files that are no models use net.http.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: timeout_ms_max,
  idempotent: true,
  tainted: false,
  open_world: true,
  concurrency_max: 2,
  image: Image,
  async resolve({ name }, context) {
    const what = `fetching "${name}"`;
    const model = modelNamed(name, what, context);
    const own = modelResource(model, "write", context);
    if (presentFile(model, context.places) !== null) return { model, resources: [own] };
    const urls = demandFetchable(model, what).sources.map((source) => new URL(source));
    const hosts = [...new Map(urls.map((url) => [url.host, url])).values()];
    // one that has no name here may have one later; policies see its name all the same
    const remotes = hosts.map(async (url) => {
      const remote = await resolveRemote(hostOf(url), portOf(url), "read", what).catch(() => null);
      return (
        remote?.resource ?? {
          kind: "address" as const,
          id: `${hostOf(url)}:${portOf(url)}`,
          access: "read" as const,
          attributes: { host: hostOf(url), port: portOf(url) },
        }
      );
    });
    return { model, resources: [own, ...(await Promise.all(remotes))] };
  },
  preview({ model }, _input, { places }) {
    const [to_come, path] = [model.size_bytes - partBytes(places, model.name), fetchedPath(places, model.name)];
    return { changes: [`${to_come} bytes are fetched from ${model.sources[0]} to "${path}" (licence: ${model.licence})`], final: [] };
  },
  snapshot: ({ model }, _input, { places }) => ({ name: model.name, present: presentFile(model, places) !== null }),
  async run({ model }, { name, timeout_ms }, context) {
    const { clock, output, places, signal } = context;
    const begin = clock.boot_ms();
    const what = `fetching "${name}"`;
    const { size_bytes } = model;
    const here = presentFile(model, places);
    if (here !== null) return { path: here.path, size_bytes: here.size_bytes, sha256: model.sha256 ?? "", source: null, took_ms: 0 };
    const { sha256, sources } = demandFetchable(model, what);
    demandRoom(prepareFolder(places), size_bytes - partBytes(places, name), what);
    const path = fetchedPath(places, name);
    const source = await fetchFile(
      { what, sources, redirect_hosts: catalogueOf(context).redirect_hosts, size_bytes, sha256, part: partPath(places, name), path },
      {
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
        progress: teller("fetching", size_bytes, context),
        say: (text) => output("stderr", `${text}\n`),
      },
    );
    return { path, size_bytes, sha256, source, took_ms: Math.round(clock.boot_ms() - begin) };
  },
  /** What is on the disk, read again: not what went through memory. */
  async verify({ model }, _input, { path, source }, context) {
    if (source === null) return;
    const digest = await hashOf(path, context.signal, teller("verifying", model.size_bytes, context));
    if (digest !== model.sha256)
      throw new ToolError(
        `verifying "${path}" failed: what is on the disk has the SHA-256 ${digest}, not ${model.sha256}; look at the disk (sys.logs)`,
      );
  },
  // it gets its name when it is whole and was hashed
  settled: ({ name }, _past, { places }) => existsSync(fetchedPath(places, name)),
  undo({ name, present }, _past, { places, state }) {
    if (present || !existsSync(fetchedPath(places, name))) return;
    const users = usersOf(name, state);
    if (users.length > 0)
      throw new ToolError(
        `taking back that "${name}" was fetched failed: it is used by ${users.join(", ")}; give them another with model.use first`,
      );
    rmSync(fetchedPath(places, name));
    syncFolder(modelsFolder(places));
  },
  verifyUndone({ name, present }, _past, { places }) {
    if (existsSync(fetchedPath(places, name)) && !present) throw new ToolError(`verifying failed: the file of "${name}" is still there`);
  },
});
