/** Debian packages: those of the image by its bill of materials (SPDX), those of a userland by dpkg's status file. */

import { z } from "zod";

export interface Installed {
  /** `image`, or the path of the userland. */
  readonly root: string;
  /** The binary packages. */
  readonly packages: readonly string[];
  readonly source: string;
  /** Of the source package. */
  readonly version: string;
  /** Debian's release: `13`; null when it cannot be told. */
  readonly release: string | null;
}

const Sbom = z.lazy(() =>
  z.object({
    packages: z.array(
      z.object({
        name: z.string(),
        sourceInfo: z.string().optional(),
        externalRefs: z.array(z.object({ referenceLocator: z.string() })).optional(),
      }),
    ),
  }),
);

/** @throws when it is no SPDX document of ours (image/sbom) */
export function packagesOfSbom(text: string): Installed[] {
  const found: { readonly package: string; readonly source: string; readonly version: string }[] = [];
  for (const { name, sourceInfo, externalRefs } of Sbom.parse(JSON.parse(text)).packages) {
    if (!(externalRefs ?? []).some(({ referenceLocator }) => referenceLocator.startsWith("pkg:deb/debian/"))) continue;
    const [, source, version] = /^built from the Debian source package (\S+) (\S+)$/.exec(sourceInfo ?? "") ?? [];
    if (source !== undefined && version !== undefined) found.push({ package: name, source, version });
  }
  const release = /[~+]deb(\d+)u/.exec(found.map(({ version }) => version).join(" "))?.[1] ?? null;
  return bySource(found, "image", release);
}

/** dpkg's status file (deb822(5)): paragraphs of installed packages. @param os_release of the same root */
export function packagesOfStatus(status: string, os_release: string, root: string): Installed[] {
  const found = status.split(/\n\n+/).flatMap((paragraph) => {
    const field = (name: string): string | undefined => new RegExp(`^${name}: *(.*)$`, "m").exec(paragraph)?.[1];
    const [name, version] = [field("Package"), field("Version")];
    if (name === undefined || version === undefined || !/ installed$/.test(field("Status") ?? "")) return [];
    // `Source: glibc (2.41-12)`: the version is there when it is another than the package's
    const [, source = name, source_version = version] = /^(\S+)(?: \((\S+)\))?$/.exec(field("Source") ?? name) ?? [];
    return [{ package: name, source, version: source_version }];
  });
  return bySource(found, root, /^VERSION_ID="?(\d+)"?$/m.exec(os_release)?.[1] ?? null);
}

function bySource(
  found: readonly { readonly package: string; readonly source: string; readonly version: string }[],
  root: string,
  release: string | null,
): Installed[] {
  return [...Map.groupBy(found, ({ source, version }) => `${source} ${version}`).values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    return [{ root, release, source: first.source, version: first.version, packages: members.map((one) => one.package) }];
  });
}
