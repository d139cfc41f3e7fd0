/**
 * What install, remove and update have in common: plan, fetch, apply on a new layer, look, make it a generation, make that
 * current. And the way back of all four that change the userland, which is the number of the generation before.
 */

import { z } from "zod";
import type { PackagesConfig } from "../../../../contracts/config.ts";
import { canonicalJson } from "../../../audit/canonical.ts";
import type { Context } from "../../../context.ts";
import { type Past, ToolError } from "../../../tool.ts";
import { sha256 } from "../../fs/shared/content.ts";
import { doing } from "../../fs/shared/failure.ts";
import { Apt, type Planned } from "./apt.ts";
import { needBase } from "./base.ts";
import { type AuthorisedFile, copyFile } from "./deb.ts";
import { folderOf } from "./folders.ts";
import { baseBelow, chainOf, currentNumber, makeCurrent, nextNumber, PackageChange, readGenerations, recordOf } from "./generation.ts";
import { mountBase, showCurrent } from "./mounts.ts";
import { outdatedServices } from "./outdated.ts";
import { openSources, packagesConfig } from "./sources.ts";
import { squash } from "./squash.ts";
import { commitStaging, dropStaging, makeStaging, mountStaging, stagingExists } from "./staging.ts";
import { type Installed, installedIn } from "./status.ts";

export const Outdated = z
  .array(z.strictObject({ service: z.string(), generation: z.number().int() }))
  .describe(
    'services with root "userland" that still run in another generation, and in which; service.restart brings them to the current one',
  );

const changes_shown_max = 500;

export function shown(changes: readonly PackageChange[]): Pick<ChangeOutput, "changes" | "changes_total"> {
  return { changes: changes.slice(0, changes_shown_max), changes_total: changes.length };
}

export const ChangeOutput = z.lazy(() =>
  z.strictObject({
    generation: z.number().int().describe("the current generation from now on"),
    before: z.number().int().describe("the current generation before"),
    changes: z.array(PackageChange).max(changes_shown_max).describe(`the first ${changes_shown_max}`),
    changes_total: z.number().int(),
    outdated_services: Outdated,
  }),
);
export type ChangeOutput = z.infer<typeof ChangeOutput>;

/** `from`: the generation that was current. `to`: the one that will be, when all goes well. */
export const Image = z.lazy(() => z.strictObject({ from: z.number().int().min(0), to: z.number().int().min(0) }));
export type Image = z.infer<typeof Image>;

/** A whole distribution upgrade over a slow line; less is the input's to say. */
export const timeout_ms_max = 3_600_000;
export const limit_field = z
  .number()
  .int()
  .min(1000)
  .max(timeout_ms_max - 60_000)
  .default(900_000)
  .describe("milliseconds for all of it; what is not done by then is ended, and nothing is changed");

export interface Wanted {
  readonly verb: string;
  /** Of apt-get(8): what to do, then what with. */
  readonly argv: readonly string[];
  readonly files: readonly AuthorisedFile[];
  readonly lists: "fetch" | "fetch-if-missing" | "as-they-are";
  /** Tells one request from another, for a redo. */
  readonly request: string;
  readonly limit_ms: number;
  /** @throws {ToolError} when this is more, or less, than was asked for */
  checkPlan(plan: readonly Planned[]): void;
  /** @throws {ToolError} when what was asked for is not there */
  checkDone(installed: ReadonlyMap<string, Installed>): void;
}

export function requestOf(tool: string, input: unknown, files: readonly AuthorisedFile[]): string {
  return sha256(Buffer.from(canonicalJson([tool, input, files.map((file) => file.sha256)])));
}

/** A redo brings back what its call had made, where that is still there and still fits. */
function madeBefore(request: string, context: Context): number | null {
  if (typeof context.redoes !== "string") return null;
  const parent = currentNumber(context);
  return readGenerations(context).records.findLast((record) => record.request === request && record.parent === parent)?.number ?? null;
}

export async function imageFor(request: string, context: Context): Promise<Image> {
  const from = currentNumber(context);
  const made = madeBefore(request, context);
  if (made !== null) return { from, to: made };
  // a number is left for what the new one then lies upon
  return { from, to: nextNumber(context) + (isDeep(from, await packagesConfig(context), context) ? 1 : 0) };
}

/** As many lie upon each other as may: the next lies upon one generation that shows what they show. */
function isDeep(number: number, { generations_max }: PackagesConfig, context: Context): boolean {
  return chainOf(number, context).length >= generations_max;
}

export async function make(wanted: Wanted, tool: string, context: Context): Promise<ChangeOutput> {
  const { from, to } = await imageFor(wanted.request, context);
  const made = madeBefore(wanted.request, context);
  const changes = made === null ? await makeNew(wanted, tool, { from, to }, context) : recordOf(made, context).changes;
  const generation = changes.length === 0 && made === null ? from : to;
  if (generation !== from) makeCurrent(generation, context);
  await showCurrent(context);
  return { generation, before: from, ...shown(changes), outdated_services: await outdatedServices(context) };
}

async function makeNew(wanted: Wanted, tool: string, { from, to }: Image, context: Context): Promise<readonly PackageChange[]> {
  const what = `${wanted.verb} packages`;
  const config = await packagesConfig(context);
  demandRoom(what, context);
  return await withApt(wanted, to, config, context, async (apt, sources, current) => {
    const plan = await apt.plan(wanted.argv);
    wanted.checkPlan(plan);
    if (plan.length === 0) return [];
    if (plan.some((one) => one.what === "install")) await apt.fetch(wanted.argv);
    const before = installedIn(current, context);
    const parent = isDeep(from, config, context) ? await squash(to - 1, from, wanted.request, context) : from;
    const root = await mountStaging(to, parent, context);
    await apt.apply(root, wanted.argv);
    const after = installedIn(root, context);
    wanted.checkDone(after);
    const changes = differences(before, after);
    const record = {
      ...{ number: to, parent, base: await baseBelow(from, context), call: context.call, tool, principal: context.principal },
      ...{ time_ms: context.clock.now_ms(), request: wanted.request, changes, sources: [...sources] },
      files: wanted.files.map(({ place, sha256: hash, name, version }) => ({ path: place.path, sha256: hash, name, version })),
    };
    await doing(`keeping generation ${to} of the userland`, () => commitStaging(to, record, context));
    return changes;
  });
}

/** @param name of the staging folder, which is gone afterwards unless it became a generation */
async function withApt<T>(
  wanted: Pick<Wanted, "files" | "lists" | "limit_ms">,
  name: number | string,
  config: PackagesConfig,
  context: Context,
  work: (apt: Apt, sources: readonly string[], current: string) => Promise<T>,
): Promise<T> {
  const [base, current] = [await mountBase(await needBase(context), context), await showCurrent(context)];
  dropStaging(name, context);
  const folder = makeStaging(name, context);
  const sources = openSources(config, folder, context);
  try {
    for (const file of wanted.files) await copyFile(file, `${folder}/files`, context);
    const apt = new Apt({ folder, sources, files: wanted.files, base, current, limit_ms: wanted.limit_ms }, context);
    if (wanted.lists === "fetch" || (wanted.lists === "fetch-if-missing" && !apt.listed)) {
      demandSources(config);
      await apt.refresh();
    }
    return await work(apt, sources.names, current);
  } finally {
    sources.close();
    dropStaging(name, context);
  }
}

/** For people: exactly what would change. Fetches lists as the call itself would. */
export async function previewLines(wanted: Wanted, context: Context): Promise<string[]> {
  const config = await packagesConfig(context);
  return await withApt(wanted, `preview-${context.call}`, config, context, async (apt, sources) => {
    const plan = await apt.plan(wanted.argv);
    wanted.checkPlan(plan);
    const files = wanted.files.map(
      ({ place, sha256: hash, name, version }) =>
        `${name} ${version} is the file "${place.path}", SHA-256 ${hash}, which nobody has signed`,
    );
    if (plan.length + files.length === 0) return []; // all is as it is asked for
    return [...plan.map(lineOf).sort(), ...files, `sources: ${sources.join("; ") || "none"}`];
  });
}

function lineOf({ name, what, before, after }: Planned): string {
  if (what === "remove") return `removes ${name} ${before ?? ""}`.trim();
  return before === null ? `installs ${name} ${after}` : `${name} ${before} becomes ${after}`;
}

/** Without a change to the userland: search and info. */
export async function asking<T>(context: Context, work: (apt: Apt, current: string) => Promise<T>): Promise<T> {
  const config = await packagesConfig(context);
  return await withApt(
    { files: [], lists: "as-they-are", limit_ms: 110_000 },
    `asking-${context.call}`,
    config,
    context,
    (apt, _sources, current) => work(apt, current),
  );
}

const free_bytes_min = 64 * 1024 * 1024;

function demandRoom(what: string, context: Context): void {
  const { free_bytes } = context.sys.mount.use(context.places.data);
  if (free_bytes < free_bytes_min)
    throw new ToolError(
      `${what} failed: ${Math.floor(free_bytes / 1024 / 1024)} MiB are free on the data partition, less than ${free_bytes_min / 1024 / 1024}; fs.usage shows what takes the room in ${folderOf(context.places)} and beside it`,
    );
}

function demandSources({ sources }: PackagesConfig): void {
  if (sources.length === 0)
    throw new ToolError(
      "fetching package lists failed: the machine config names no source; add one below `packages: sources:` in aios.yaml and reboot, or install single files (pkg.install with files)",
    );
}

function differences(before: ReadonlyMap<string, Installed>, after: ReadonlyMap<string, Installed>): PackageChange[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
    const [was, is] = [before.get(name)?.version ?? null, after.get(name)?.version ?? null];
    return was === is ? [] : [{ name, before: was, after: is }];
  });
}

/** @throws {ToolError} unless what the answer says is what is mounted */
export async function verifyChange({ generation, changes }: ChangeOutput, context: Context): Promise<void> {
  const about = "looking at the userland after the change failed";
  if (currentNumber(context) !== generation) throw new ToolError(`${about}: generation ${currentNumber(context)} is the current one`);
  const installed = installedIn(await showCurrent(context), context);
  const wrong = changes.find(({ name, after }) => (installed.get(name)?.version ?? null) !== after);
  if (wrong !== undefined)
    throw new ToolError(
      `${about}: the version of "${wrong.name}" is ${installed.get(wrong.name)?.version ?? "none"} and not ${wrong.after ?? "none"}`,
    );
}

/** The way back, the same for all. */
export const way_back = {
  image: Image,
  settled: ({ from, to }: Image, _past: Past<unknown, unknown>, context: Context): boolean => from !== to && currentNumber(context) === to,
  async undo({ from, to }: Image, _past: Past<unknown, unknown>, context: Context): Promise<void> {
    for (const begun of [to, to - 1]) dropStaging(begun, context); // the one below it too, where that had to be made first
    const current = currentNumber(context);
    if (current !== from && current !== to)
      throw new ToolError(
        `going back to generation ${from} failed: generation ${current} is the current one, which this call has not made`,
      );
    if (from !== 0) recordOf(from, context);
    if (current !== from) makeCurrent(from, context);
    await showCurrent(context).catch((error: unknown) => {
      // what counts is back; that it cannot be shown is the same trouble as before the call, and is told by the next
      if (from !== 0) throw error;
    });
  },
  verifyUndone({ from, to }: Image, _past: Past<unknown, unknown>, context: Context): void {
    if (currentNumber(context) !== from)
      throw new ToolError(`looking at the userland failed: generation ${currentNumber(context)} is current, not ${from}`);
    if (stagingExists(to, context))
      throw new ToolError(`looking at the userland failed: something is left of generation ${to}, which was not finished`);
  },
};
