/** What dpkg's database in a tree says: which package owns a file, its version, its licence. */

import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";

interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly source: string;
  readonly source_version: string;
  readonly homepage: string | null;
  readonly maintainer: string | null;
}

export interface DebianPackages {
  /** Of all that are installed, sorted. */
  names(): string[];
  ownerOf(path: string): string | undefined;
  get(name: string): DebianPackage;
  copyright(name: string): string;
}

/** Where merged-/usr moved what older packages still list by its old name. */
function merged(path: string): string {
  return /^\/(bin|sbin|lib|lib64)\//.test(path) ? `/usr${path}` : path;
}

export function readDebianPackages(tree: string): DebianPackages {
  const packages = new Map(readStatus(join(tree, "var/lib/dpkg/status")).map((entry) => [entry.name, entry]));
  const owners = readOwners(join(tree, "var/lib/dpkg/info"));
  return {
    names: () => [...packages.keys()].sort(),
    ownerOf: (path) => owners.get(path),
    get(name) {
      const found = packages.get(name);
      if (found === undefined) throw new Error(`looking up the Debian package "${name}" failed: dpkg's database does not have it`);
      return found;
    },
    copyright(name) {
      // the folder may be a link to another package's; both are within the tree
      const folder = join(tree, "usr/share/doc", name);
      const file = join(existsSync(folder) ? realpathSync(folder) : folder, "copyright");
      if (!existsSync(file)) throw new Error(`reading the licence of the Debian package "${name}" failed: no "${file}"`);
      return readFileSync(file, "utf8");
    },
  };
}

function readOwners(folder: string): Map<string, string> {
  const owners = new Map<string, string>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".list"))) {
    const name = basename(file, ".list").split(":")[0] ?? "";
    for (const path of readFileSync(join(folder, file), "utf8").split("\n")) if (path !== "") owners.set(merged(path), name);
  }
  return owners;
}

function readStatus(file: string): DebianPackage[] {
  return readFileSync(file, "utf8")
    .split("\n\n")
    .flatMap((stanza) => {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.+)$`, "m").exec(stanza)?.[1];
      const name = field("Package");
      const version = field("Version");
      if (name === undefined || version === undefined) return [];
      const source = /^(\S+)(?: \((.+)\))?$/.exec(field("Source") ?? name);
      return [
        {
          name,
          version,
          architecture: field("Architecture") ?? "all",
          source: source?.[1] ?? name,
          source_version: source?.[2] ?? version,
          homepage: field("Homepage") ?? null,
          maintainer: field("Maintainer") ?? null,
        },
      ];
    });
}
