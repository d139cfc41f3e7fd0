/** What a service that is taken over can still do: seen from outside, in the kernel's own words (proc(5)). */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { type Container, startContainer } from "../../container.ts";
import { descendants, processStatus } from "../../host-processes.ts";
import { newFolder } from "../../places.ts";
import { serviceStatus } from "../expect.ts";

let container: Container;

beforeAll(async () => {
  container = await startContainer({ data: newFolder("data") });
  await container.ready("all");
}, 300_000);

afterAll(() => container?.kill());

async function workerOf(name: string): Promise<number> {
  const top = container.hostPid((await serviceStatus(container.console, name)).pid ?? 0);
  const all = descendants(top);
  const inner = all.find((found) => readFileSync(`/proc/${found.pid}/cmdline`, "utf8").split("\0")[1] === name);
  return inner?.pid ?? top;
}

const uids = { memory: 801, reactive: 802, operational: 803, tactical: 804, strategic: 805, console: 806 } as const;
/** Namespaces that a service shares with the system, with the reason in init/supervise/sandbox.ts. */
const shared: Readonly<Record<string, readonly string[]>> = { reactive: ["pid"], strategic: ["net"] };
/** Folders of the system in which a service may write. */
const writes: Readonly<Record<string, readonly string[]>> = {
  memory: ["/run/aios/memory", "/var/lib/aios/memory"],
  console: ["/run/aios/console/http"],
  strategic: ["/var/lib/aios/strategic"],
};

for (const [name, uid] of Object.entries(uids)) {
  describe(name, () => {
    test("has its own uid, no capabilities, no way to more, and a seccomp filter", async () => {
      const status = processStatus(await workerOf(name));
      expect(status?.get("Uid")?.split(/\s+/)).toEqual(Array(4).fill(String(uid)));
      expect(status?.get("Gid")?.split(/\s+/)).toEqual(Array(4).fill(String(uid)));
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) expect(status?.get(set), set).toBe("0000000000000000");
      expect(status?.get("NoNewPrivs")).toBe("1");
      expect(status?.get("Seccomp")).toBe("2");
    });

    test("has namespaces of its own", async () => {
      const pid = await workerOf(name);
      for (const kind of ["mnt", "ipc", "uts", "cgroup", "pid", "net"]) {
        const same = readlinkSync(`/proc/${pid}/ns/${kind}`) === readlinkSync(`/proc/${container.pid}/ns/${kind}`);
        expect(same, `${kind} is shared`).toBe(shared[name]?.includes(kind) ?? false);
      }
    });

    test("sees a read-only root, and may write only where its work is", async () => {
      const mounts = readFileSync(`/proc/${await workerOf(name)}/mountinfo`, "utf8")
        .trim()
        .split("\n")
        .map((line) => line.split(" "));
      const options = (at: string): string[] => mounts.findLast((fields) => fields[4] === at)?.[5]?.split(",") ?? [];
      expect(options("/")).toContain("ro");
      // a file system of its own (a tmpfs whose root is its own) is nobody else's; what is shared is bound from somewhere
      const shared_writable = mounts
        .filter((fields) => fields[5]?.split(",").includes("rw"))
        .filter((fields) => !["tmpfs", "proc", "devpts", "devtmpfs"].includes(fields[fields.indexOf("-") + 1] ?? "") || fields[3] !== "/")
        .map((fields) => fields[4] ?? "")
        .filter((at) => !at.startsWith("/dev/"));
      expect(shared_writable.sort()).toEqual([...(writes[name] ?? [])].sort());
    });

    test("is in a cgroup of its own name", async () => {
      const line = readFileSync(`/proc/${await workerOf(name)}/cgroup`, "utf8")
        .split("\n")
        .find((text) => text.startsWith("0::"));
      expect(line).toMatch(new RegExp(`/${name}(/|$)`));
    });
  });
}

/** Null for one that has ended since the list was made. */
function programOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`).split("/").at(-1) ?? "";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

test("nothing but our executable and what bubblewrap leaves runs inside", () => {
  const allowed = new Set(["aios", "bwrap", "launch", "init"]);
  for (const { pid } of container.processes()) {
    const program = programOf(pid);
    if (program === null) continue;
    expect(allowed.has(program), program).toBe(true);
  }
});
