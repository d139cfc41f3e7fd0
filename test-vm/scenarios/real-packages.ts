/** A server as Debian has it, in the versions of two releases, and a server from which a machine gets them: signed, over HTTP. */

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../../tooling/cache.ts";
import { DebianArchive } from "../../tooling/debian.ts";
import { makeKey, type TestKey, writeRepository } from "../../tools/catalog/pkg/testing/repository.ts";
import { atEnd, dyingWithUs, endProcess } from "../owned.ts";
import { waitFor } from "../wait.ts";

/** It answers on a port with its own version: `socat TCP-LISTEN:… EXEC:"socat -V"`. */
export const server = "socat";
/** Servers, and what either version depends on besides what is in the base of the userland. */
const dependencies = { socat: ["libwrap0"], lighttpd: ["media-types"] } as const;

export interface RealPackages {
  readonly older: { readonly version: string; readonly deb: string };
  readonly newer: { readonly version: string; readonly deb: string };
  readonly others: readonly string[];
}

/** From the mirror of this host, signature-checked; kept in the cache until either archive has another version. */
export async function realPackages(name: keyof typeof dependencies): Promise<RealPackages> {
  const [older, newer] = [new DebianArchive("amd64", "bookworm"), new DebianArchive("amd64", "trixie")];
  for (const archive of [older, newer]) await archive.update();
  const versions = { older: await older.candidate(name), newer: await newer.candidate(name) };
  const folder = await cached(
    "test-packages",
    `${name}-${dependencies[name].join("-")}-${versions.older}-${versions.newer}`,
    async (fresh) => {
      await older.download(name, join(fresh, "older"));
      await newer.download(name, join(fresh, "newer"));
      for (const other of dependencies[name]) await newer.download(other, join(fresh, "others"));
    },
  );
  const all = (kind: string): string[] => readdirSync(join(folder, kind)).map((file) => join(folder, kind, file));
  const only = (kind: "older" | "newer") => ({ version: versions[kind], deb: all(kind).find((file) => file.endsWith(".deb")) ?? "" });
  return { older: only("older"), newer: only("newer"), others: all("others") };
}

export interface Mirror {
  /** A process in its network namespace, for `network_of`. */
  readonly pid: number;
  readonly key: TestKey;
  /** aios.yaml of a machine that uses it. */
  readonly config: string;
  offer(debs: readonly string[]): void;
  /** What the machine says on a port that QEMU forwards in this namespace. */
  ask(port: number): Promise<string>;
  end(): void;
}

const port = 8000;
/** Serves a folder on loopback of its namespace; Bun, since it is there. */
const serve = `
Bun.serve({ port: ${port}, hostname: "127.0.0.1", async fetch(request) {
  const file = Bun.file(process.argv[1] + decodeURIComponent(new URL(request.url).pathname));
  return await file.exists() ? new Response(file) : new Response("no such file", { status: 404 });
} });
console.log("serving");
`;

export async function startMirror(folder: string): Promise<Mirror> {
  mkdirSync(folder, { recursive: true });
  const key = makeKey("mirror");
  const script = join(folder, "..", "serve.ts");
  writeFileSync(script, serve.replace("process.argv[1]", JSON.stringify(folder)));
  const argv = ["unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", process.execPath, script];
  const child = Bun.spawn(dyingWithUs(argv), { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const end = atEnd(() => endProcess(child));
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  if (!new TextDecoder().decode(value).includes("serving")) throw new Error("starting the mirror of the test failed");
  const indented = key.armoured.trimEnd().replaceAll("\n", "\n        ");
  return {
    ...{ pid: child.pid, key, end },
    config: `packages:
  sources:
    - uri: http://10.0.2.2:${port}
      suite: stable
      components: [main]
      signed_by: |
        ${indented}
`,
    offer: (debs) => writeRepository(folder, debs, { key }),
    async ask(forwarded) {
      const enter = [
        "nsenter",
        `--net=/proc/${child.pid}/ns/net`,
        "--",
        "curl",
        "--silent",
        "--show-error",
        "--http0.9",
        "--max-time",
        "20",
      ];
      return await waitFor(
        `an answer on port ${forwarded}`,
        async () => {
          const asked = Bun.spawn([...enter, `http://127.0.0.1:${forwarded}/`], { stdout: "pipe", stderr: "pipe" });
          const [status, text] = await Promise.all([asked.exited, new Response(asked.stdout).text()]);
          return status === 0 && text !== "" ? text : null;
        },
        { limit_ms: 60_000, every_ms: 500 },
      );
    },
  };
}
