/**
 * Whether a document is SPDX 2.3: by SPDX's own JSON schema, and by what a schema cannot say (licence expressions,
 * identifiers that exist, references that lead somewhere, which packages have files; SPDX 2.3, annex D, clauses 7, 10, 11).
 *
 * `spdx-schema-v2.3.json` is the file of that name in SPDX's own tools (Maven, org.spdx:tools-java 1.1.8, Apache-2.0),
 * byte for byte.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv/dist/2019";
import parseExpression from "spdx-expression-parse";
import { z } from "zod";

const schema_file = join(import.meta.dir, "spdx-schema-v2.3.json");

/** Of a document that has passed the schema: what the checks after it look at. */
const Element = z.object({ SPDXID: z.string() });
const Document = z.object({
  packages: z
    .array(
      Element.extend({
        name: z.string(),
        filesAnalyzed: z.boolean().default(true),
        licenseConcluded: z.string(),
        licenseDeclared: z.string(),
      }),
    )
    .default([]),
  files: z.array(Element).default([]),
  relationships: z.array(z.object({ spdxElementId: z.string(), relationshipType: z.string(), relatedSpdxElement: z.string() })).default([]),
  documentDescribes: z.array(z.string()).default([]),
  hasExtractedLicensingInfos: z.array(z.object({ licenseId: z.string() })).default([]),
});
type Document = z.infer<typeof Document>;

/** @returns what is wrong, a line each; none when the document is right */
export function spdxFaults(document: unknown): string[] {
  const validate = new Ajv({ allErrors: true, strict: false }).compile(z.record(z.string(), z.unknown()).parse(readSchema()));
  if (!validate(document)) return (validate.errors ?? []).map((error) => `"${error.instancePath || "/"}" ${error.message ?? "is wrong"}`);
  const parsed = Document.parse(document);
  return [...identifierFaults(parsed), ...contentFaults(parsed), ...licenceFaults(parsed)];
}

function readSchema(): unknown {
  return JSON.parse(readFileSync(schema_file, "utf8"));
}

function identifierFaults(document: Document): string[] {
  const known = new Set(["SPDXRef-DOCUMENT"]);
  const faults: string[] = [];
  for (const { SPDXID } of [...document.packages, ...document.files]) {
    if (!/^SPDXRef-[a-zA-Z0-9.-]+$/.test(SPDXID)) faults.push(`"${SPDXID}" is no SPDX identifier`);
    if (known.has(SPDXID)) faults.push(`"${SPDXID}" stands twice`);
    known.add(SPDXID);
  }
  const referred = document.relationships.flatMap((each) => [each.spdxElementId, each.relatedSpdxElement]);
  for (const id of new Set([...referred, ...document.documentDescribes]))
    if (!known.has(id)) faults.push(`"${id}" is referred to, but is not in the document`);
  return faults;
}

/** Clause 7.8: only a package whose files were analysed has files. */
function contentFaults(document: Document): string[] {
  const closed = new Set(document.packages.filter(({ filesAnalyzed }) => !filesAnalyzed).map(({ SPDXID }) => SPDXID));
  const files = new Set(document.files.map(({ SPDXID }) => SPDXID));
  return document.relationships
    .filter((each) => each.relationshipType === "CONTAINS" && closed.has(each.spdxElementId) && files.has(each.relatedSpdxElement))
    .map((each) => `"${each.spdxElementId}" contains "${each.relatedSpdxElement}", but its files were not analysed`);
}

function licenceFaults(document: Document): string[] {
  const extracted = new Set(document.hasExtractedLicensingInfos.map(({ licenseId }) => licenseId));
  const used = new Set<string>();
  const faults = document.packages.flatMap(({ name, licenseConcluded, licenseDeclared }) =>
    [licenseConcluded, licenseDeclared].flatMap((expression) => {
      if (expression === "NOASSERTION" || expression === "NONE") return [];
      const wrong = expressionFault(expression);
      for (const [id] of expression.matchAll(/\bLicenseRef-[a-zA-Z0-9.-]+/g)) used.add(id);
      return wrong === null ? [] : [`the licence "${expression}" of "${name}" is no SPDX expression: ${wrong}`];
    }),
  );
  const lacking = [...used].filter((id) => !extracted.has(id)).map((id) => `"${id}" is used, but its text is not in the document`);
  const idle = [...extracted].filter((id) => !used.has(id)).map((id) => `the text of "${id}" is in the document, but nothing uses it`);
  return [...faults, ...lacking, ...idle];
}

/** @returns why `expression` is none of SPDX's licence expressions, or null */
function expressionFault(expression: string): string | null {
  try {
    parseExpression(expression);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
