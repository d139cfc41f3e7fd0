/** The base of the userland as it was built, and what the root says of it. */

import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { build } from "./places.ts";
import { spdxFaults } from "./sbom/check.ts";

const file = join(build, "userland.erofs");
const Pin = z.strictObject({ sha256: z.string(), size_bytes: z.number(), debian: z.string().startsWith("13") });

test("the root names this very file", () => {
  const bytes = readFileSync(file);
  const pin = Pin.parse(JSON.parse(readFileSync(join(build, "root/usr/lib/aios/userland.json"), "utf8")));
  expect(pin).toMatchObject({ sha256: createHash("sha256").update(bytes).digest("hex"), size_bytes: bytes.length });
});

test("its bill of materials is SPDX 2.3 and names its package manager", () => {
  const document: unknown = JSON.parse(readFileSync(join(build, "userland.spdx.json"), "utf8"));
  expect(spdxFaults(document)).toEqual([]);
  const { packages } = z.object({ packages: z.array(z.object({ name: z.string() })) }).parse(document);
  expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining(["apt", "dpkg", "debian-archive-keyring", "sqv"]));
});

/** What is in it, by the kernel: mounted in a mount namespace of its own. */
function look(script: string): string {
  const inside = `mount -t erofs -o ro "${file}" /mnt && cd /mnt && ${script}`;
  const ran = Bun.spawnSync(["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", inside], { stderr: "pipe" });
  if (!ran.success) throw new Error(`looking into the base failed: ${ran.stderr.toString()}`);
  return ran.stdout.toString();
}

test("no setuid bit, no lists, no logs, no documentation but the copyright files", () => {
  expect(look("find . -xdev -type f -perm /6000")).toBe("");
  expect(look("find var/lib/apt/lists var/log var/cache usr/share/man usr/share/locale -type f")).toBe("");
  expect(look("find usr/share/doc -type f ! -name copyright")).toBe("");
});

test("nothing is started by being installed, and what a sandbox mounts has its places", () => {
  expect(look("./usr/sbin/policy-rc.d; echo $?")).toBe("101\n");
  expect(look("ls -d dev proc run sys tmp var/lib/aios")).toBe("dev\nproc\nrun\nsys\ntmp\nvar/lib/aios\n");
  expect(look("readlink etc/resolv.conf")).toBe("/run/aios/etc/resolv.conf\n");
});
