/** The bill of materials of aiosctl: one executable, and what was bundled into it. */

import type { Release } from "../release.ts";
import { basics, bunPackage, fileElement, npmPackage, purl, related, writeDocument } from "./document.ts";
import { bundledPlaces, npmPackages } from "./npm-packages.ts";

const client_id = "SPDXRef-aiosctl";

export function writeClientSbom(input: {
  readonly executable: string;
  readonly metafile: string;
  readonly release: Release;
  /** The npm package that carries the runtime. */
  readonly runtime_package: string;
  readonly file: string;
}): void {
  const packages = [...npmPackages([input.runtime_package]).map(bunPackage), ...npmPackages(bundledPlaces(input.metafile)).map(npmPackage)];
  const file = fileElement("/aiosctl", input.executable);
  writeDocument(input.file, input.release, {
    subject: {
      ...basics(client_id, "aiosctl", input.release.version),
      licenseConcluded: "Apache-2.0",
      licenseDeclared: "Apache-2.0",
      ...purl(`pkg:generic/aiosctl@${input.release.version}`),
    },
    packages,
    files: [file],
    relationships: packages.map((entry) => related(file.SPDXID, "CONTAINS", entry.SPDXID)),
    licence_texts: new Map(),
  });
}
