/**
 * The software bill of materials, SPDX 2.3: every package with version and licence, and every ELF file with the
 * package that it is from. Written into the root and checked against the shape below, which is SPDX's own JSON schema
 * as far as we use it.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { debianLicence } from "./debian-licence.ts";
import type { DebianPackages } from "./debian-packages.ts";
import { isElf } from "./elf.ts";
import { kernelVersion } from "./kernel.ts";
import { npmPackages } from "./npm-packages.ts";
import { node_modules } from "./places.ts";
import { packageVersion } from "./programs.ts";
import type { Release } from "./release.ts";
import { walk } from "./walk.ts";

const SpdxId = z.string().regex(/^SPDXRef-[a-zA-Z0-9.-]+$/);
const Checksum = z.strictObject({ algorithm: z.enum(["SHA1", "SHA256", "SHA512"]), checksumValue: z.string().regex(/^[0-9a-f]{40,128}$/) });
const Package = z.strictObject({
  SPDXID: SpdxId,
  name: z.string().min(1),
  versionInfo: z.string().min(1),
  downloadLocation: z.string().min(1),
  filesAnalyzed: z.literal(false),
  licenseConcluded: z.literal("NOASSERTION"),
  licenseDeclared: z.string().min(1),
  licenseComments: z.string().optional(),
  copyrightText: z.string().min(1),
  supplier: z.string().regex(/^(Person|Organization): |^NOASSERTION$/),
  sourceInfo: z.string().optional(),
  homepage: z.string().optional(),
  checksums: z.array(Checksum).optional(),
  externalRefs: z
    .array(
      z.strictObject({ referenceCategory: z.literal("PACKAGE-MANAGER"), referenceType: z.literal("purl"), referenceLocator: z.string() }),
    )
    .optional(),
});
type Package = z.infer<typeof Package>;
const File = z.strictObject({
  SPDXID: SpdxId,
  fileName: z.string().regex(/^\.\//),
  checksums: z.array(Checksum).min(2),
  licenseConcluded: z.literal("NOASSERTION"),
  licenseInfoInFiles: z.array(z.literal("NOASSERTION")),
  copyrightText: z.literal("NOASSERTION"),
});
const Relationship = z.strictObject({
  spdxElementId: SpdxId,
  relationshipType: z.enum(["DESCRIBES", "CONTAINS", "STATIC_LINK"]),
  relatedSpdxElement: SpdxId,
});
export const Sbom = z.strictObject({
  spdxVersion: z.literal("SPDX-2.3"),
  dataLicense: z.literal("CC0-1.0"),
  SPDXID: z.literal("SPDXRef-DOCUMENT"),
  name: z.string().min(1),
  documentNamespace: z.url(),
  creationInfo: z.strictObject({ created: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/), creators: z.array(z.string()).min(1) }),
  documentDescribes: z.array(SpdxId).min(1),
  packages: z.array(Package),
  files: z.array(File),
  relationships: z.array(Relationship),
});
export type Sbom = z.infer<typeof Sbom>;

export interface SbomInput {
  readonly root: string;
  readonly release: Release;
  readonly debian: DebianPackages;
  /** Names of the Debian packages of which a file was kept. */
  readonly debian_kept: ReadonlySet<string>;
  /** npm packages shipped as files. */
  readonly npm_shipped: readonly string[];
}

const system_id = "SPDXRef-aiOS";
const bun_id = "SPDXRef-bun";
const musl_id = "SPDXRef-musl";

/** Writes /usr/lib/aios/sbom.spdx.json, and the licence texts of npm packages, into the root. */
export function writeSbom(input: SbomInput): void {
  const npm = npmPackages(input.npm_shipped);
  for (const entry of npm)
    if (entry.licence_text !== null) writeText(join(input.root, "usr/share/doc/npm", entry.name, "LICENSE"), entry.licence_text);

  const kernel = kernelVersion();
  const packages: Package[] = [
    ...ownPackages(input.release),
    ...(kernel === null ? [] : [kernelPackage(kernel)]),
    ...[...input.debian_kept].sort().map((name) => debianPackage(input.debian, name)),
    ...npm.map(
      (entry): Package => ({
        ...common(id("npm", entry.name), entry.name, entry.version),
        downloadLocation: "NOASSERTION",
        licenseDeclared: entry.licence ?? "NOASSERTION",
        ...(entry.integrity?.startsWith("sha512-")
          ? {
              checksums: [{ algorithm: "SHA512" as const, checksumValue: Buffer.from(entry.integrity.slice(7), "base64").toString("hex") }],
            }
          : {}),
        ...purl(`pkg:npm/${entry.name.replace("@", "%40")}@${entry.version}`),
      }),
    ),
  ];
  const files = elfFiles(input.root).map((path) => ({ path, owner: ownerOf(path, input) }));
  const digest = createHash("sha256")
    .update(JSON.stringify([packages, files]))
    .digest("hex")
    .slice(0, 32);
  const sbom: Sbom = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `aiOS ${input.release.version}`,
    documentNamespace: `https://aios.invalid/spdx/${input.release.version}-${digest}`,
    creationInfo: {
      created: new Date(input.release.built_s * 1000).toISOString().replace(/\.\d+Z$/, "Z"),
      creators: ["Tool: aiOS image build"],
    },
    documentDescribes: [system_id],
    packages,
    files: files.map(({ path }) => ({
      SPDXID: id("file", path),
      fileName: `.${path}`,
      checksums: checksums(join(input.root, path)),
      licenseConcluded: "NOASSERTION",
      licenseInfoInFiles: ["NOASSERTION"],
      copyrightText: "NOASSERTION",
    })),
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: system_id },
      ...packages
        .filter((entry) => entry.SPDXID !== system_id)
        .map((entry) => ({ spdxElementId: system_id, relationshipType: "CONTAINS" as const, relatedSpdxElement: entry.SPDXID })),
      ...files.map(({ path, owner }) => ({
        spdxElementId: owner,
        relationshipType: "CONTAINS" as const,
        relatedSpdxElement: id("file", path),
      })),
    ],
  };
  writeText(join(input.root, "usr/lib/aios/sbom.spdx.json"), `${JSON.stringify(Sbom.parse(sbom), null, 1)}\n`);
}

function ownPackages(release: Release): Package[] {
  return [
    { ...common(system_id, "aiOS", release.version), licenseDeclared: "Apache-2.0", ...purl(`pkg:generic/aios@${release.version}`) },
    {
      ...common(bun_id, "bun", packageVersion(join(node_modules, "bun"))),
      licenseDeclared: "MIT",
      licenseComments:
        "The runtime inside /usr/bin/aios. It links JavaScriptCore (LGPL-2.0-or-later) and others: see Bun's own licence page.",
      ...purl(`pkg:npm/bun@${packageVersion(join(node_modules, "bun"))}`),
    },
    {
      ...common(musl_id, "musl", muslVersion()),
      licenseDeclared: "MIT",
      licenseComments: "Linked statically into /usr/sbin/init and /usr/lib/aios/launch.",
    },
  ];
}

function muslVersion(): string {
  const child = Bun.spawnSync(["dpkg-query", "-W", "-f", "$" + "{Version}", "musl-dev"]);
  const version = child.stdout.toString().trim();
  if (!child.success || version === "")
    throw new Error('asking dpkg for the version of "musl-dev" failed: install the packages in image/apt-packages.txt');
  return version;
}

function kernelPackage(version: string): Package {
  return {
    ...common("SPDXRef-linux", "linux", version),
    licenseDeclared: "GPL-2.0-only WITH Linux-syscall-note",
    sourceInfo: "Debian source package linux, own configuration (kernel-config/)",
  };
}

function debianPackage(debian: DebianPackages, name: string): Package {
  const entry = debian.get(name);
  const text = debian.copyright(name);
  const licence = debianLicence(text);
  const hash = createHash("sha256").update(text).digest("hex");
  return {
    ...common(id("deb", name), name, entry.version),
    licenseDeclared: licence.expression ?? "NOASSERTION",
    licenseComments: `/usr/share/doc/${name}/copyright, SHA-256 ${hash}${licence.names.length > 0 ? `; it names: ${licence.names.join(", ")}` : ""}`,
    supplier: entry.maintainer === null ? "NOASSERTION" : `Organization: ${entry.maintainer}`,
    sourceInfo: `built from the Debian source package ${entry.source} ${entry.source_version}`,
    ...(entry.homepage === null ? {} : { homepage: entry.homepage }),
    ...purl(`pkg:deb/debian/${name}@${encodeURIComponent(entry.version)}?arch=${entry.architecture}`),
  };
}

function common(spdx_id: string, name: string, version: string) {
  return {
    SPDXID: spdx_id,
    name,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: "NOASSERTION",
    copyrightText: "NOASSERTION",
    supplier: "NOASSERTION",
  } as const;
}

function purl(locator: string) {
  return { externalRefs: [{ referenceCategory: "PACKAGE-MANAGER" as const, referenceType: "purl" as const, referenceLocator: locator }] };
}

/** An identifier that is unique though SPDX allows few characters. */
function id(kind: string, name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9.-]+/g, "-");
  const suffix = plain === name ? "" : `-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
  return `SPDXRef-${kind}-${plain}${suffix}`;
}

function ownerOf(path: string, input: SbomInput): string {
  if (path === "/usr/bin/aios") return bun_id;
  if (path === "/usr/sbin/init" || path === "/usr/lib/aios/launch") return system_id;
  const npm = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
  if (npm !== undefined) return id("npm", npm);
  const debian = input.debian.ownerOf(path);
  if (debian === undefined) throw new Error(`listing "${path}" in the SBOM failed: no package is known for it`);
  return id("deb", debian);
}

/** Every ELF file below `root`, as absolute paths inside it. */
export function elfFiles(root: string): string[] {
  return walk(root)
    .filter((entry) => entry.kind.isFile() && isElf(readFileSync(entry.host_path)))
    .map((entry) => entry.path);
}

export function checksums(file: string): z.infer<typeof Checksum>[] {
  const bytes = readFileSync(file);
  return (["SHA1", "SHA256"] as const).map((algorithm) => ({
    algorithm,
    checksumValue: createHash(algorithm.toLowerCase()).update(bytes).digest("hex"),
  }));
}

function writeText(file: string, text: string): void {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
