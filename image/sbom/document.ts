/** What both bills of materials are made of: SPDX 2.3 elements, and the document around them, checked as it is written. */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Release } from "../release.ts";
import { spdxFaults } from "./check.ts";
import type { NpmPackage } from "./npm-packages.ts";

export interface Checksum {
  readonly algorithm: "SHA1" | "SHA256" | "SHA512";
  readonly checksumValue: string;
}

export interface Package {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo: string;
  readonly downloadLocation: "NOASSERTION";
  /** Whether its files are in the document: of the package that the document is about, all are. */
  readonly filesAnalyzed: boolean;
  readonly packageVerificationCode?: {
    readonly packageVerificationCodeValue: string;
    readonly packageVerificationCodeExcludedFiles: readonly string[];
  };
  /** What was concluded from the text; only reviewed packages and our own have it. */
  readonly licenseConcluded: string;
  /** What the package says of itself. */
  readonly licenseDeclared: string;
  readonly licenseComments?: string;
  readonly copyrightText: "NOASSERTION";
  readonly supplier: string;
  readonly sourceInfo?: string;
  readonly homepage?: string;
  readonly checksums?: readonly Checksum[];
  readonly externalRefs?: readonly { referenceCategory: "PACKAGE-MANAGER"; referenceType: "purl"; referenceLocator: string }[];
}

export interface File {
  readonly SPDXID: string;
  readonly fileName: string;
  readonly checksums: readonly Checksum[];
  readonly licenseConcluded: "NOASSERTION";
  readonly licenseInfoInFiles: readonly ["NOASSERTION"];
  readonly copyrightText: "NOASSERTION";
}

export interface Relationship {
  readonly spdxElementId: string;
  readonly relationshipType: "DESCRIBES" | "CONTAINS" | "STATIC_LINK" | "EXPANDED_FROM_ARCHIVE";
  readonly relatedSpdxElement: string;
}

export interface Content {
  /** The package that the document is about. */
  readonly subject: Package;
  readonly packages: readonly Package[];
  /** All files of the subject, but for the document itself. */
  readonly files: readonly File[];
  /** The document, where it is among the subject's files; begins with `./`. */
  readonly document_file?: string;
  readonly relationships: readonly Relationship[];
  /** Words of the LicenseRef- identifiers. */
  readonly licence_texts: ReadonlyMap<string, string>;
}

/** Writes the document. @throws when it is not SPDX 2.3 */
export function writeDocument(file: string, release: Release, content: Content): void {
  const { files } = content;
  const subject: Package = {
    ...content.subject,
    filesAnalyzed: true,
    packageVerificationCode: {
      packageVerificationCodeValue: verificationCode(files),
      packageVerificationCodeExcludedFiles: content.document_file === undefined ? [] : [content.document_file],
    },
  };
  const packages = [subject, ...content.packages];
  const relationships = [...files.map((each) => related(subject.SPDXID, "CONTAINS", each.SPDXID)), ...content.relationships];
  const extracted = [...content.licence_texts].map(([licenseId, extractedText]) => ({
    licenseId,
    extractedText,
    name: licenseId.slice(11),
  }));
  const digest = createHash("sha256")
    .update(JSON.stringify([packages, files, relationships, extracted]))
    .digest("hex")
    .slice(0, 32);
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${subject.name} ${release.version}`,
    documentNamespace: `https://aios.invalid/spdx/${subject.name}-${release.version}-${digest}`,
    creationInfo: {
      created: new Date(release.built_s * 1000).toISOString().replace(/\.\d+Z$/, "Z"),
      creators: ["Tool: aiOS image build"],
    },
    documentDescribes: [subject.SPDXID],
    hasExtractedLicensingInfos: extracted,
    packages,
    files,
    relationships: [related("SPDXRef-DOCUMENT", "DESCRIBES", subject.SPDXID), ...relationships],
  };
  const faults = spdxFaults(document);
  if (faults.length > 0) throw new Error(`writing the bill of materials "${file}" failed: it is not SPDX 2.3:\n${faults.join("\n")}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(document, null, 1)}\n`);
}

/** SPDX 2.3, clause 7.9: over the sorted SHA-1 sums of the files. */
function verificationCode(files: readonly File[]): string {
  const sums = files.map((each) => each.checksums.find(({ algorithm }) => algorithm === "SHA1")?.checksumValue ?? "");
  return createHash("sha1").update(sums.sort().join("")).digest("hex");
}

/** What every package has. */
export function basics(spdx_id: string, name: string, version: string) {
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

export function purl(locator: string) {
  return { externalRefs: [{ referenceCategory: "PACKAGE-MANAGER" as const, referenceType: "purl" as const, referenceLocator: locator }] };
}

/** An identifier that is unique though SPDX allows few characters. */
export function idOf(kind: string, name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9.-]+/g, "-");
  const suffix = plain === name ? "" : `-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
  return `SPDXRef-${kind}-${plain}${suffix}`;
}

export function related(from: string, relationshipType: Relationship["relationshipType"], to: string): Relationship {
  return { spdxElementId: from, relationshipType, relatedSpdxElement: to };
}

export function checksums(file: string): Checksum[] {
  const bytes = readFileSync(file);
  return (["SHA1", "SHA256"] as const).map((algorithm) => ({
    algorithm,
    checksumValue: createHash(algorithm.toLowerCase()).update(bytes).digest("hex"),
  }));
}

/** @param name as it is called where it lies, from `/` */
export function fileElement(name: string, host_path: string): File {
  return {
    SPDXID: idOf("file", name),
    fileName: `.${name}`,
    checksums: checksums(host_path),
    licenseConcluded: "NOASSERTION",
    licenseInfoInFiles: ["NOASSERTION"],
    copyrightText: "NOASSERTION",
  };
}

export function npmPackage(entry: NpmPackage): Package {
  const sha512 = entry.integrity?.startsWith("sha512-") ? Buffer.from(entry.integrity.slice(7), "base64").toString("hex") : null;
  return {
    ...basics(idOf("npm", entry.place), entry.name, entry.version),
    licenseDeclared: entry.licence ?? "NOASSERTION",
    ...(sha512 === null ? {} : { checksums: [{ algorithm: "SHA512" as const, checksumValue: sha512 }] }),
    ...purl(`pkg:npm/${entry.name.replace("@", "%40")}@${entry.version}`),
  };
}

/** Bun, which is inside every executable that it makes. @param place of the npm package that carries the runtime */
export function bunPackage(entry: NpmPackage): Package {
  return {
    ...npmPackage(entry),
    SPDXID: "SPDXRef-bun",
    licenseDeclared: "MIT",
    licenseComments:
      "Bun's own code. The runtime also links JavaScriptCore (LGPL-2.0-or-later), BoringSSL, SQLite and others: see LICENSE.md in Bun's repository.",
  };
}
