import { z } from "zod";
import { quote } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { KeptFile } from "../../undo/images.ts";
import { doing } from "../fs/shared/failure.ts";
import { pathField } from "../fs/shared/fields.ts";
import { type ConfigurationPorts, configurationEntries } from "./shared/integrity/configuration.ts";
import type { Entry } from "./shared/integrity/entry.ts";
import { demandStored, letGo } from "./shared/integrity/roots.ts";
import {
  Baseline,
  BaselineName,
  baselineNames,
  baselineOf,
  baselines_max,
  declareBaseline,
  pack,
  readFile,
  sha256Of,
  storeFile,
  withFile,
} from "./shared/integrity/store.ts";
import { entriesBelow } from "./shared/integrity/take.ts";

const gib = 1024 ** 3;

const Input = z.lazy(() =>
  z.strictObject({
    name: BaselineName.default("system").describe("its name; one of that name is replaced"),
    roots: z
      .array(pathField("a folder or file to take with all that is below it on the same mount"))
      .max(16)
      .default(["/"])
      .describe("what to look at; by default the system's read-only root"),
    configuration: z.boolean().default(true).describe("also the policies, and what was declared of network, services, settings and tasks"),
    bytes_max: z
      .number()
      .int()
      .min(1)
      .max(64 * gib)
      .default(8 * gib)
      .describe("fail instead of reading more than so many bytes"),
  }),
);
type Input = z.infer<typeof Input>;

/** What was there under that name; its file is kept beside the before-image. */
const Image = z.lazy(() => z.strictObject({ name: z.string(), before: Baseline.nullable(), file: KeptFile.nullable() }));
type Image = z.infer<typeof Image>;

export interface RootsTarget extends Target {
  /** Null where nothing is any more. */
  readonly roots: readonly (Occupied | null)[];
}

export const entries_max = 100_000;

export function baselineTool(ports: ConfigurationPorts) {
  return defineTool<Input, Baseline, RootsTarget, Image>({
    name: "sec.integrity_baseline",
    title: "Take a baseline",
    description:
      "Notes how files are now (content by SHA-256, mode, owner, size, extended attributes, what links say) and how the system is set up, so that sec.integrity_compare can tell later what was added, removed or changed. Take one when the system is known to be well, and again after changes that were meant. It keeps no content: to bring something back use undo. Links are not followed, other mounts not entered. For the digest of one file use fs.checksum.",
    input: Input,
    output: Baseline,
    risk: "reversible",
    timeout_ms: 900_000,
    idempotent: true,
    tainted: false,
    concurrency_max: 2,
    image: Image,
    resolve({ name, roots, configuration }, context) {
      const what = `taking the baseline "${name}"`;
      if (roots.length === 0 && !configuration) throw new ToolError(`${what} failed: there is nothing to look at; give roots`);
      const names = baselineNames(context.state);
      if (!names.includes(name) && names.length >= baselines_max)
        throw new ToolError(`${what} failed: there are ${baselines_max} already (${names.join(", ")}); use one of these names`);
      const places: Occupied[] = [];
      try {
        for (const root of roots) {
          const place = openExisting(context, root, "follow");
          places.push(place);
          demandStored(place, what);
          if (places.some((one) => one !== place && one.path === place.path))
            throw new ToolError(`${what} failed: ${quote(place.path)} is there twice`);
        }
      } catch (error) {
        letGo(places);
        throw error;
      }
      return {
        roots: places,
        resources: [
          ...places.flatMap((place) => resourcesOf(place, "read", { recursive: place.status.type === "directory" })),
          { kind: "system", id: `baseline/${name}`, access: "write", attributes: {} },
        ],
        close: () => letGo(places),
      };
    },
    preview: ({ roots }, { name }, { state }) => ({
      changes: [
        `the baseline "${name}" is ${baselineOf(state, name) === null ? "made" : "replaced"}: ${roots.map((place) => quote(place?.path ?? "")).join(", ")}`,
      ],
      final: [],
    }),
    async snapshot(_, { name }, context) {
      const before = baselineOf(context.state, name);
      const file = before === null ? null : await withFile(context, name, (fd) => context.images.keepFile(fd, "link-or-copy"));
      return { name, before, file };
    },
    run: ({ roots }, { name, configuration, bytes_max }, context) =>
      doing(`taking the baseline "${name}"`, async () => {
        const taken = { entries: 0, hashed_bytes: 0 };
        const entries: Entry[] = [];
        for await (const entry of entriesBelow(context, roots, { entries_max, bytes_max }, taken)) entries.push(entry);
        const settings = configuration ? configurationEntries(ports, roots.length) : [];
        const bytes = await pack([...entries, ...settings]);
        await storeFile(context, name, bytes);
        const baseline: Baseline = {
          ...{ name, configuration, call: context.call, made_ms: context.clock.now_ms() },
          roots: roots.map((place) => place?.path ?? ""),
          entries: entries.length + settings.length,
          hashed_bytes: taken.hashed_bytes,
          sha256: sha256Of(bytes),
        };
        declareBaseline(context.state, name, baseline);
        return baseline;
      }),
    async verify(_, { name }, { sha256 }, context) {
      const bytes = await readFile(context, name);
      if (bytes === null || sha256Of(bytes) !== sha256)
        throw new ToolError(`looking at the baseline "${name}" failed: its file is not what was written`);
    },
    // Its seal is the answer on record, which a call that was interrupted has not: then it is taken back.
    async undo({ name, before, file }, _, context) {
      await storeFile(context, name, file === null ? null : context.images.read(file));
      declareBaseline(context.state, name, before);
    },
    async verifyUndone({ name, before }, _, context) {
      const bytes = await readFile(context, name);
      const right = bytes === null ? before === null : before !== null && sha256Of(bytes) === before.sha256;
      if (!right) throw new ToolError(`bringing the baseline "${name}" of before back failed: its file is another`);
    },
  });
}
