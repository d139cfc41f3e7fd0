/** What is read from apt and dpkg, and what may be given to them. What they do is proved by the cases and by failures.ts. */

import { expect, test } from "bun:test";
import { PackageSource, PackagesConfig } from "../../../../contracts/config.ts";
import { planOf } from "./apt.ts";
import { PackageName, PackageVersion } from "./names.ts";
import { stanzas } from "./status.ts";

test("a plan of apt-get --simulate", () => {
  const text = [
    "NOTE: This is only a simulation!",
    "Inst hello [1.0] (2.0-1 Debian:13.8/stable, Debian-Security:13/stable-security [amd64])",
    "Inst libfoo2:amd64 (1:2.3 local-deb [all]) []",
    "Remv old [0.9]",
    "Purg older [0.1]",
    "Conf hello (2.0-1 Debian:13.8/stable [amd64])",
  ].join("\n");
  expect(planOf(text)).toEqual([
    { name: "hello", what: "install", before: "1.0", after: "2.0-1" },
    { name: "libfoo2", what: "install", before: null, after: "1:2.3" },
    { name: "old", what: "remove", before: "0.9", after: null },
    { name: "older", what: "remove", before: "0.1", after: null },
  ]);
});

test("paragraphs with continuation lines", () => {
  const [first, second, ...rest] = [...stanzas("Package: a\nDescription: one\n two\n .\n three\n\n\nPackage: b\nDepends: c, d\n")];
  expect(first?.get("Description")).toBe("one\ntwo\n.\nthree");
  expect([second?.get("Package"), second?.get("Depends"), rest]).toEqual(["b", "c, d", []]);
});

test("names and versions as Debian's policy has them, and nothing that apt would read otherwise", () => {
  for (const name of ["g++", "libstdc++6", "python3.13", "0ad", "libc6-dev"]) expect(PackageName.safeParse(name).success).toBe(true);
  for (const name of [
    "",
    "a",
    "-y",
    "--x",
    "A",
    "foo-",
    "foo=1",
    "foo/sid",
    "foo:amd64",
    "foo*",
    "^foo",
    "./foo",
    "/foo",
    "foo bar",
    "foo\n",
    "~nfoo",
    "?x",
  ])
    expect([name, PackageName.safeParse(name).success]).toEqual([name, false]);
  for (const version of ["1", "1:2.3-4+deb13u1~bpo12+1"]) expect(PackageVersion.safeParse(version).success).toBe(true);
  for (const version of ["", "v1", "-1", "1 2", "1=2", "1\n"])
    expect([version, PackageVersion.safeParse(version).success]).toEqual([version, false]);
});

test("sources of the machine config", () => {
  const good = { uri: "https://deb.debian.org/debian", suite: "trixie", components: ["main"] };
  expect(PackageSource.safeParse(good).success).toBe(true);
  expect(PackageSource.safeParse({ uri: "file:/var/lib/aios/srv/flat", suite: "./" }).success).toBe(true);
  for (const bad of [
    { ...good, uri: "ftp://x/debian" },
    { ...good, uri: "https://x/debian\nTrusted: yes" },
    { ...good, uri: "file:/var/lib/../etc" },
    { ...good, suite: "trixie trusted=yes" },
    { ...good, suite: "trixie/" },
    { ...good, components: [] },
    { ...good, components: ["main\nTrusted: yes"] },
    { ...good, signed_by: "/etc/keys" },
    { ...good, trusted: true },
  ])
    expect([bad, PackageSource.safeParse(bad).success]).toEqual([bad, false]);
  expect(PackagesConfig.safeParse({ generations_max: 61 }).success).toBe(false);
});
