/** pkg.install */

import { z } from "zod";
import type { Context } from "../../context.ts";
import { quote } from "../../paths/path-text.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { type Target, ToolError } from "../../tool.ts";
import { pathField } from "../fs/shared/fields.ts";
import type { Planned } from "./shared/apt.ts";
import { insideOf } from "./shared/apt.ts";
import { limit_field, requestOf, type Wanted } from "./shared/change.ts";
import { changeTool } from "./shared/change-tool.ts";
import { type AuthorisedFile, authoriseFile } from "./shared/deb.ts";
import { showCurrent } from "./shared/mounts.ts";
import { Named } from "./shared/names.ts";
import { signedPackage, unsignedPackage, userland } from "./shared/resources.ts";
import { type Installed, installedIn } from "./shared/status.ts";

const Input = z.lazy(() =>
  z.strictObject({
    packages: z.array(Named).max(64).default([]).describe("packages from the sources of the machine config, whose signatures are checked"),
    files: z
      .array(pathField("A .deb file on this machine"))
      .max(16)
      .default([])
      .describe("single package files, which nobody has signed: a person has to approve them; what they depend on comes from the sources"),
    timeout_ms: limit_field,
  }),
);
type Input = z.infer<typeof Input>;

interface Chosen extends Target {
  readonly files: readonly AuthorisedFile[];
}

const name = "pkg.install";

export const install = changeTool<Input, Chosen>({
  name,
  title: "Install packages",
  description:
    'Installs Debian packages, with what they depend on, into the userland: a Debian of its own on the data partition, beside the system\'s read-only root. Makes a new generation of it; the one before stays as it is, and undo or pkg.rollback go back to it. Nothing is started: run a program of it with process.spawn or as a service with service.define, both with root "userland". Brings a package that is there already to the version asked for; to bring all to their newest use pkg.update. Never removes a package.',
  input: Input,
  idempotent: true,
  open_world: true,
  resolve,
  wanted: ({ files }, input) => wantedOf(files, input),
});

async function resolve(input: Input, context: Context): Promise<Chosen> {
  const names = input.packages.map((one) => one.name);
  if (names.length + input.files.length === 0) throw new ToolError("installing packages failed: name at least one, in packages or files");
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) throw new ToolError(`installing packages failed: ${quote(twice)} is named twice`);
  const root = await showCurrent(context);
  const installed = installedIn(root, context);
  const files: AuthorisedFile[] = [];
  const close = (): void => {
    for (const { place } of files) place.close();
  };
  try {
    for (const path of input.files) files.push(await authoriseFile(path, root, context));
    const same = files.find((one, index) => names.includes(one.name) || files.findIndex((other) => other.name === one.name) !== index);
    if (same !== undefined) throw new ToolError(`installing packages failed: ${quote(same.name)} is named twice`);
    const resources = [
      userland,
      ...input.packages.map((one) => signedPackage(one.name, one.version, "write", installed)),
      ...files.map((file) => unsignedPackage(file, installed)),
      ...files.flatMap(({ place }) => resourcesOf(place, "read")),
    ];
    return { files, resources, close };
  } catch (error) {
    close();
    throw error;
  }
}

function wantedOf(files: readonly AuthorisedFile[], { packages, timeout_ms }: Input): Wanted {
  const wanted = new Map([
    ...packages.map((one) => [one.name, one.version] as const),
    ...files.map((one) => [one.name, one.version] as const),
  ]);
  const named = packages.map((one) => (one.version === undefined ? one.name : `${one.name}=${one.version}`));
  return {
    verb: "installing",
    argv: ["--no-remove", "--allow-downgrades", "install", "--", ...named, ...files.map(insideOf)],
    files,
    lists: packages.length > 0 ? "fetch-if-missing" : "as-they-are",
    request: requestOf(name, packages, files),
    limit_ms: timeout_ms,
    checkPlan: demandNoRemoval,
    checkDone: (installed) => demandInstalled(wanted, installed),
  };
}

function demandNoRemoval(plan: readonly Planned[]): void {
  const removed = plan.filter(({ what }) => what === "remove").map((one) => one.name);
  if (removed.length > 0)
    throw new ToolError(`installing packages failed: ${removed.join(", ")} would have to be removed; do that first with pkg.remove`);
}

function demandInstalled(wanted: ReadonlyMap<string, string | undefined>, installed: ReadonlyMap<string, Installed>): void {
  for (const [one, version] of wanted) {
    const found = installed.get(one);
    if (found?.state === "installed" && (version === undefined || found.version === version)) continue;
    throw new ToolError(
      `installing ${quote(one)}${version === undefined ? "" : ` ${version}`} failed: ${found === undefined ? "it is not there afterwards" : `afterwards it is ${found.state} in version ${found.version}`}`,
    );
  }
}
