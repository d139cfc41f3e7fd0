/** The licences in a Debian copyright file, as an SPDX expression where every name in it has one. */

import { isMachineReadable, stanzas } from "./debian-copyright.ts";

const spdx: Readonly<Record<string, string>> = {
  "0BSD": "0BSD",
  "Apache-2.0": "Apache-2.0",
  "BSD-2-clause": "BSD-2-Clause",
  "BSD-2-Clause": "BSD-2-Clause",
  "BSD-3-clause": "BSD-3-Clause",
  "BSD-3-Clause": "BSD-3-Clause",
  "BSL-1.0": "BSL-1.0",
  "CC0-1.0": "CC0-1.0",
  Expat: "MIT",
  "GFDL-1.3": "GFDL-1.3-only",
  "GFDL-1.3+": "GFDL-1.3-or-later",
  "GPL-1": "GPL-1.0-only",
  "GPL-1+": "GPL-1.0-or-later",
  "GPL-2": "GPL-2.0-only",
  "GPL-2+": "GPL-2.0-or-later",
  "GPL-3": "GPL-3.0-only",
  "GPL-3+": "GPL-3.0-or-later",
  ISC: "ISC",
  "LGPL-2": "LGPL-2.0-only",
  "LGPL-2+": "LGPL-2.0-or-later",
  "LGPL-2.1": "LGPL-2.1-only",
  "LGPL-2.1+": "LGPL-2.1-or-later",
  "LGPL-3": "LGPL-3.0-only",
  "LGPL-3+": "LGPL-3.0-or-later",
  MIT: "MIT",
  "MPL-2.0": "MPL-2.0",
  Zlib: "Zlib",
  zlib: "Zlib",
};

interface DebianLicence {
  /** The short names in the file, sorted; none when it is not machine-readable. */
  readonly names: readonly string[];
  /** Null when a name has no SPDX identifier: then nothing is claimed. */
  readonly expression: string | null;
}

export function debianLicence(text: string): DebianLicence {
  if (!isMachineReadable(text)) return { names: [], expression: null };
  const names = [...new Set(stanzas(text).map(({ licence }) => licence))].filter((name) => name !== "").sort();
  const parts = names.map(toExpression);
  const known = parts.flatMap((part) => (part === null ? [] : [part]));
  if (known.length === 0 || known.length !== parts.length) return { names, expression: null };
  return { names, expression: [...new Set(known)].join(" AND ") };
}

/** `A or B`, `A and B`, or one name. */
function toExpression(name: string): string | null {
  const alternatives = name.split(/ or /).map((alternative) => {
    const all = alternative.split(/ and /).map((one) => spdx[one.replace(/,$/, "").trim()]);
    return all.includes(undefined) ? null : all.join(" AND ");
  });
  if (alternatives.includes(null)) return null;
  const joined = alternatives.join(" OR ");
  return alternatives.length > 1 || joined.includes(" AND ") ? `(${joined})` : joined;
}
