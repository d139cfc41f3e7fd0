/**
 * Debian 13 packages on whatever Debian the host is: a private apt state that uses the host's own mirror with the
 * suite changed, checks signatures with the archive keyring, and touches nothing of the host's apt.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "./cache.ts";
import { amountIn, during } from "./progress.ts";
import { run } from "./run.ts";

/** Of the image; tests take real older versions of a package from the other. */
export type Suite = "trixie" | "bookworm";
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

export interface Mirror {
  readonly main: string;
  /** null when the host uses none. */
  readonly security: string | null;
}

/** The mirrors that this host's apt uses. @throws when it names none */
function hostMirror(): Mirror {
  const urls = aptSourceTexts().flatMap((text) => [...text.matchAll(/https?:\/\/[^\s\]]+/g)].map((match) => match[0].replace(/\/$/, "")));
  const main = urls.find((url) => url.endsWith("/debian"));
  if (main === undefined)
    throw new Error("looking for a Debian mirror failed: /etc/apt names none that ends in /debian; add one to /etc/apt/sources.list.d");
  return { main, security: urls.find((url) => url.endsWith("/debian-security")) ?? null };
}

function aptSourceTexts(): string[] {
  const folder = "/etc/apt/sources.list.d";
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /\.(list|sources)$/.test(name))
        .map((name) => join(folder, name))
    : [];
  if (existsSync("/etc/apt/sources.list")) files.push("/etc/apt/sources.list");
  return files.map((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => !line.trimStart().startsWith("#"))
      .join("\n"),
  );
}

/** The deb822 text of a Debian's sources, 13's unless it says otherwise, at the host's mirror, as apt and mkosi read it. */
export function sourcesText(mirror: Mirror = hostMirror(), suite: Suite = "trixie"): string {
  const stanza = (url: string, suites: string): string =>
    `Types: deb\nURIs: ${url}\nSuites: ${suites}\nComponents: main\nSigned-By: ${keyring}\n`;
  const security = mirror.security === null ? [] : [stanza(mirror.security, `${suite}-security`)];
  return [stanza(mirror.main, `${suite} ${suite}-updates`), ...security].join("\n");
}

/** A private apt state for Debian 13; `update` once, then ask and download. */
export class DebianArchive {
  readonly #env: Readonly<Record<string, string>>;

  constructor(architecture: "amd64" | "arm64" = "amd64", suite: Suite = "trixie") {
    const home = join(cacheRoot(), "apt", suite === "trixie" ? architecture : `${architecture}-${suite}`);
    for (const folder of ["state/lists/partial", "cache/archives/partial", "etc/sources.list.d", "etc/apt.conf.d", "etc/preferences.d"]) {
      mkdirSync(join(home, folder), { recursive: true });
    }
    writeFileSync(join(home, "etc/sources.list.d/debian.sources"), sourcesText(hostMirror(), suite));
    const config = [
      `Dir::State "${home}/state";`,
      `Dir::Cache "${home}/cache";`,
      `Dir::Etc "${home}/etc";`,
      'Dir::State::status "/dev/null";',
      `APT::Architecture "${architecture}";`,
      `APT::Architectures { "${architecture}"; };`,
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
    ].join("\n");
    writeFileSync(join(home, "apt.conf"), config);
    this.#env = { APT_CONFIG: join(home, "apt.conf") };
  }

  async update(): Promise<void> {
    await run(["apt-get", "update", "-q"], { env: this.#env });
  }

  /** The version that apt would install. @throws when the archive does not have the package */
  async candidate(name: string): Promise<string> {
    const found = /Candidate: (\S+)/.exec(await run(["apt-cache", "policy", name], { env: this.#env }))?.[1];
    if (found === undefined || found === "(none)")
      throw new Error(`looking up Debian package "${name}" failed: Debian 13 has no such package; check the mirror in /etc/apt`);
    return found;
  }

  /** Downloads one package, signature-checked, into `folder`. @returns the .deb's path */
  async download(name: string, folder: string): Promise<string> {
    mkdirSync(folder, { recursive: true });
    const download = (): Promise<string> => run(["apt-get", "download", "-q", name], { env: this.#env, cwd: folder });
    await during(name, download, () => amountIn(folder));
    const prefix = `${name.split("=")[0] ?? name}_`;
    const file = readdirSync(folder).find((entry) => entry.startsWith(prefix) && entry.endsWith(".deb"));
    if (file === undefined)
      throw new Error(`downloading Debian package "${name}" failed: apt reported success but left no .deb in ${folder}`);
    return join(folder, file);
  }

  /** Downloads and unpacks one package below `folder`. */
  async unpack(name: string, folder: string): Promise<void> {
    const deb = await this.download(name, `${folder}.deb`);
    mkdirSync(folder, { recursive: true });
    await run(["dpkg-deb", "-x", deb, folder]);
  }
}
