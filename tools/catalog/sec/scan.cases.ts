/** Cases of sec.scan (testing/case.ts). */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ToolCase, World } from "../../testing/case.ts";

function fill({ folder }: World): void {
  mkdirSync(join(folder, "userland/var/lib/dpkg"), { recursive: true });
  mkdirSync(join(folder, "userland/etc"));
  writeFileSync(join(folder, "userland/etc/os-release"), 'VERSION_ID="13"\n');
  const paragraphs = [
    "Package: libssl3t64\nStatus: install ok installed\nSource: openssl\nVersion: 3.5.1-1",
    "Package: gone\nStatus: deinstall ok config-files\nSource: openssl\nVersion: 3.0-1",
    "Package: nginx\nStatus: install ok installed\nVersion: 1.26.3-3",
  ];
  writeFileSync(join(folder, "userland/var/lib/dpkg/status"), `${paragraphs.join("\n\n")}\n`);
  const advisory = (id: string, name: string, fixed: string, ecosystem = "Debian:13") => ({
    id,
    affected: [{ package: { ecosystem, name }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed }] }] }],
  });
  const all = [
    advisory("DSA-1", "openssl", "3.5.1-1+deb13u1"),
    advisory("DSA-2", "nginx", "1.26.3-3"),
    advisory("DSA-3", "openssl", "9", "Debian:12"),
  ];
  writeFileSync(join(folder, "osv.json"), JSON.stringify(all));
  writeFileSync(join(folder, "tool"), "");
  chmodSync(join(folder, "tool"), 0o4755);
  mkdirSync(join(folder, "open"));
  chmodSync(join(folder, "open"), 0o777);
}

export const scan_cases: readonly ToolCase[] = [
  {
    tool: "sec.scan",
    name: "files and packages",
    prepare: (world) => {
      fill(world);
      const { folder } = world;
      return {
        ...{ checks: ["setuid", "writable", "keys", "packages", "listening"], roots: [folder] },
        ...{ advisories: join(folder, "osv.json"), package_roots: [join(folder, "userland")] },
      };
    },
    observe: () => null,
    bad: ({ folder }) => [
      { checks: [] },
      { checks: ["everything"] },
      { checks: ["packages"] },
      { checks: ["packages"], advisories: join(folder, "nothing") },
      { checks: ["packages"], advisories: join(folder, "tool") },
      { checks: ["packages"], advisories: join(folder, "osv.json"), package_roots: [folder] },
      { checks: ["setuid"], roots: ["relative"] },
      { checks: ["setuid"], roots: [join(folder, "tool")] },
      { checks: ["setuid"], limit: 0 },
    ],
    check: ({ findings, seen }, { folder }) => {
      const told = (findings as { kind: string; where: string }[]).map(({ kind, where }) => `${kind} ${where.replace(folder, "")}`);
      for (const wanted of ["setuid-file /tool", "world-writable-folder /open", "vulnerable-package /userland: libssl3t64"])
        if (!told.includes(wanted)) throw new Error(`it found ${told.join("; ")}, not ${wanted}`);
      if (told.filter((one) => one.startsWith("vulnerable")).length !== 1) throw new Error(`it found ${told.join("; ")}`);
      if ((seen as { advisories: number }).advisories !== 3) throw new Error(`it read ${JSON.stringify(seen)}`);
    },
  },
];
