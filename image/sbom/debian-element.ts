/** A Debian package as SPDX has it. */

import { createHash } from "node:crypto";
import { say } from "../../tooling/progress.ts";
import type { DebianPackages } from "../debian-packages.ts";
import { debianLicence } from "./debian-licence.ts";
import { basics, idOf, type Package, purl } from "./document.ts";
import { readReviews, reviewedLicence } from "./reviewed.ts";

export class DebianElements {
  /** Words of the LicenseRef- identifiers that have been used so far. */
  readonly licence_texts = new Map<string, string>();
  readonly #reviews = readReviews();

  make(debian: DebianPackages, name: string): Package {
    const entry = debian.get(name);
    return {
      ...basics(idOf("deb", name), name, entry.version),
      ...this.#licences(name, debian.copyright(name)),
      supplier: entry.maintainer === null ? "NOASSERTION" : `Organization: ${entry.maintainer}`,
      sourceInfo: `built from the Debian source package ${entry.source} ${entry.source_version}`,
      ...(entry.homepage === null ? {} : { homepage: entry.homepage }),
      ...purl(`pkg:deb/debian/${name}@${encodeURIComponent(entry.version)}?arch=${entry.architecture}`),
    };
  }

  #licences(name: string, text: string): Pick<Package, "licenseConcluded" | "licenseDeclared" | "licenseComments"> {
    const source = `/usr/share/doc/${name}/copyright, SHA-256 ${createHash("sha256").update(text).digest("hex")}`;
    const reviewed = reviewedLicence(this.#reviews, name, text);
    if (reviewed !== null && reviewed !== "stale") {
      for (const [id, words] of reviewed.texts) this.licence_texts.set(id, words);
      const remark = reviewed.remark === null ? "" : `; ${reviewed.remark}`;
      const licenseComments = `${source}, whose stanzas were written down as an expression (not a legal opinion). It says: ${reviewed.evidence}${remark}`;
      return { licenseConcluded: reviewed.expression, licenseDeclared: reviewed.expression, licenseComments };
    }
    const told = debianLicence(text);
    const names = told.names.length === 0 ? "" : `; it names: ${told.names.join(", ")}`;
    if (told.expression === null)
      say(
        `the licence of "${name}" is not asserted: ${reviewed === "stale" ? "its copyright file has changed since it was read" : "nobody has read its copyright file"}; see image/sbom/README.md`,
      );
    return { licenseConcluded: "NOASSERTION", licenseDeclared: told.expression ?? "NOASSERTION", licenseComments: `${source}${names}` };
  }
}
