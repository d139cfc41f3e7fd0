/** The checks behind the bills of materials; what is in a built one is tested in root.test.ts. */

import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { spdxFaults } from "./check.ts";
import { debianLicence } from "./debian-licence.ts";
import { readReviews, reviewedLicence } from "./reviewed.ts";

const good = {
  spdxVersion: "SPDX-2.3",
  dataLicense: "CC0-1.0",
  SPDXID: "SPDXRef-DOCUMENT",
  name: "thing 1",
  documentNamespace: "https://aios.invalid/spdx/thing-1",
  creationInfo: { created: "2026-01-02T03:04:05Z", creators: ["Tool: a test"] },
  documentDescribes: ["SPDXRef-thing"],
  hasExtractedLicensingInfos: [{ licenseId: "LicenseRef-mine", extractedText: "Do as you like." }],
  packages: [
    {
      SPDXID: "SPDXRef-thing",
      name: "thing",
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      licenseConcluded: "NOASSERTION",
      licenseDeclared: "(MIT OR GPL-2.0-or-later) AND LicenseRef-mine",
      copyrightText: "NOASSERTION",
    },
  ],
  files: [{ SPDXID: "SPDXRef-file", fileName: "./thing", checksums: [{ algorithm: "SHA1", checksumValue: "a".repeat(40) }] }],
  relationships: [{ spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-thing" }],
};
const package_ = good.packages[0];

test("a document that is right has no faults", () => {
  expect(spdxFaults(good)).toEqual([]);
});

test.each([
  ["a field that SPDX does not know", { ...good, colour: "red" }, "must NOT have additional properties"],
  ["a field that is missing", { ...good, creationInfo: undefined }, "must have required property 'creationInfo'"],
  [
    "a word that is none of SPDX's",
    { ...good, relationships: [{ ...good.relationships[0], relationshipType: "OWNS" }] },
    "one of the allowed",
  ],
  [
    "a licence that nobody knows",
    { ...good, packages: [{ ...package_, licenseDeclared: "MTI AND LicenseRef-mine" }] },
    '"MTI AND LicenseRef-mine"',
  ],
  ["a licence without its words", { ...good, hasExtractedLicensingInfos: [] }, '"LicenseRef-mine" is used'],
  ["words that nothing uses", { ...good, packages: [{ ...package_, licenseDeclared: "MIT" }] }, '"LicenseRef-mine" is in the document'],
  ["an identifier twice", { ...good, packages: [package_, package_] }, '"SPDXRef-thing" stands twice'],
  ["a reference to nothing", { ...good, documentDescribes: ["SPDXRef-other"] }, '"SPDXRef-other" is referred to'],
  [
    "a file in a package whose files were not analysed",
    { ...good, relationships: [{ spdxElementId: "SPDXRef-thing", relationshipType: "CONTAINS", relatedSpdxElement: "SPDXRef-file" }] },
    "its files were not analysed",
  ],
])("%s is a fault", (_, document, said) => {
  expect(spdxFaults(JSON.parse(JSON.stringify(document))).join("\n")).toContain(said);
});

const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 Somebody
License: Odd

Files: src/*
Copyright: 2020 Somebody
License: GPL-2+ or Expat

License: Odd
 Do as you like.
 .
 But say so.
`;
const review = {
  packages: ["odd"],
  copyright: createHash("sha256").update(copyright).digest("hex"),
  licence: "LicenseRef-Odd AND (GPL-2.0-or-later OR MIT)",
  evidence: [
    { files: "*", licence: "Odd" },
    { files: "src/*", licence: "GPL-2+ or Expat" },
  ],
  texts: { "LicenseRef-Odd": "Odd" },
};

test("a copyright file with a name that SPDX does not know asserts nothing by itself", () => {
  expect(debianLicence(copyright)).toEqual({ names: ["GPL-2+ or Expat", "Odd"], expression: null });
  expect(debianLicence(copyright.replaceAll("License: Odd", "License: ISC")).expression).toBe("(GPL-2.0-or-later OR MIT) AND ISC");
  expect(debianLicence("It is free software.")).toEqual({ names: [], expression: null });
});

test("a review counts for the file that was read, with the words of what has no name", () => {
  expect(reviewedLicence([review], "odd", copyright)).toEqual({
    expression: review.licence,
    evidence: "Files: * … License: Odd; Files: src/* … License: GPL-2+ or Expat",
    remark: null,
    texts: new Map([["LicenseRef-Odd", "Do as you like.\n\nBut say so."]]),
  });
  expect(reviewedLicence([review], "odd", `${copyright}\n`)).toBe("stale");
  expect(reviewedLicence([review], "even", copyright)).toBe(null);
});

test("a review that says what the file does not say is refused", () => {
  const wrong = { ...review, evidence: [{ files: "src/*", licence: "Odd" }] };
  expect(() => reviewedLicence([wrong], "odd", copyright)).toThrow('its copyright file does not have {"files":"src/*","licence":"Odd"}');
});

test("the table can be read, and names no package twice", () => {
  const names = readReviews().flatMap(({ packages }) => packages);
  expect(new Set(names).size).toBe(names.length);
});
