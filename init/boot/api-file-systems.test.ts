/** The phase on a /dev and a /run of its own, in a mount namespace. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../../sys/testing.ts";

const here = (name: string): string => JSON.stringify(join(import.meta.dir, name));

test("what is missing is mounted, with links and folders; what is there is left", async () => {
  const value = await valueInNamespaces(
    `
    sys.mount.mount({ source: "run", target: "/run", type: "tmpfs" });
    const below = mountPoints(readFileSync("/proc/self/mountinfo", "utf8"));
    for (const target of [...below].filter((each) => each.startsWith("/dev/")).reverse())
      for (let again = true; again; ) try { sys.mount.unmount(target, ["detach"]); } catch { again = false; }
    sys.mount.mount({ source: "dev", target: "/dev", type: "tmpfs" });
    const before = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\\n").length;
    const { outcome } = await apiFileSystems.run(testBoot(sys, "container"));
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\\n").slice(before).map((line) => line.split(" "));
    const of = (target) => mounts.filter((fields) => fields[4] === target).map((fields) => fields[5] + " " + fields[fields.indexOf("-") + 1])[0];
    console.log(JSON.stringify({
      outcome, pts: of("/dev/pts"), shm: of("/dev/shm"), run: of("/run") ?? "left",
      mode: existsSync("/dev/shm") ? (statSync("/dev/shm").mode & 0o7777).toString(8) : "",
      stdout: existsSync("/dev/stdout") && readlinkSync("/dev/stdout"),
      folders: ["/run/aios/etc", "/run/aios/net/leases"].filter(existsSync),
    }));
    `,
    {
      imports: `
import { apiFileSystems, mountPoints } from ${here("api-file-systems.ts")};
import { testBoot } from ${here("testing.ts")};
import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";
`,
    },
  );
  expect(value).toEqual({
    outcome: "done",
    pts: "rw,nosuid,noexec,relatime devpts",
    shm: "rw,nosuid,nodev,noexec,relatime tmpfs",
    run: "left",
    mode: "1777",
    stdout: "/proc/self/fd/1",
    folders: ["/run/aios/etc", "/run/aios/net/leases"],
  });
});
