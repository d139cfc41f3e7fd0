/** Names and versions of packages as Debian's policy has them (5.6.7, 5.6.12), so that no argument is ever an option. */

import { z } from "zod";

/** No `-` at the end: apt-get(8) would take it for "remove this". */
export const PackageName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9+.-]{0,126}[a-z0-9+.]$/,
    "a package's name is 2 to 128 of a-z 0-9 + . -, begins with a letter or digit, and does not end in -",
  );
export const PackageVersion = z
  .string()
  .regex(/^[0-9][A-Za-z0-9.+:~-]{0,127}$/, "a package's version is 1 to 128 of A-Z a-z 0-9 . + : ~ -, and begins with a digit");

export const Named = z.lazy(() =>
  z.strictObject({
    name: PackageName.describe("its exact name; pkg.search finds it"),
    version: PackageVersion.optional().describe("this very version; left out: the newest that the sources have"),
  }),
);
export type Named = z.infer<typeof Named>;
