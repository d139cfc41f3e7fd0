/**
 * An NTP server: chronyd of the image, run on this host in a network namespace that leads nowhere, with this host's time.
 * It does not touch the host's clock (-x).
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { atEnd, dyingWithUs, endProcess } from "../owned.ts";
import { needBuilt } from "../places.ts";
import { tailOf, waitFor } from "../wait.ts";

export interface TimeServer {
  /** A process in its network namespace. */
  readonly pid: number;
  end(): void;
}

/** @param folder for its files */
export async function startTimeServer(folder: string): Promise<TimeServer> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "chrony.conf");
  const log = join(folder, "chronyd.log");
  writeFileSync(config, `local stratum 1\nallow all\ncmdport 0\nbindcmdaddress /\npidfile ${join(folder, "chronyd.pid")}\n`);
  const child = Bun.spawn(
    dyingWithUs([
      "unshare",
      "--net",
      "--",
      "sh",
      "-c",
      'ip link set lo up && exec "$@"',
      "sh",
      ...chronyd(),
      "-d",
      "-x",
      "-u",
      "root",
      "-f",
      config,
    ]),
    { stdin: "ignore", stdout: Bun.file(log), stderr: Bun.file(log) },
  );
  const end = atEnd(() => endProcess(child));
  const listens = (): boolean => {
    if (child.exitCode !== null) throw new Error(`starting the time server failed: ${tailOf(readFileSync(log, "utf8"))}`);
    return /^\s*\d+: [0-9A-F]+:007B /m.test(readFileSync(`/proc/${child.pid}/net/udp`, "utf8"));
  };
  await waitFor("the time server to listen on port 123", listens, { limit_ms: 60_000, every_ms: 20 });
  return { pid: child.pid, end };
}

/** The image's own, with its own loader and libraries: the host need not have one. */
function chronyd(): string[] {
  const root = needBuilt("root_folder");
  const library_folder = readdirSync(join(root, "usr/lib")).find((name) => name.endsWith("-linux-gnu"));
  if (library_folder === undefined) throw new Error(`looking for libraries in "${root}" failed: there is no usr/lib/*-linux-gnu`);
  const libraries = join(root, "usr/lib", library_folder);
  const loader = readdirSync(libraries).find((name) => name.startsWith("ld-linux"));
  if (loader === undefined) throw new Error(`looking for the dynamic loader in "${libraries}" failed: there is no ld-linux*`);
  return [join(libraries, loader), "--library-path", libraries, join(root, "usr/sbin/chronyd")];
}
