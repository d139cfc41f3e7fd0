/**
 * apt(8) and dpkg(1) of the userland, in sandboxes:
 *
 *   fetching   by the base's own apt, which nothing that was installed has touched; an ordinary user without capabilities,
 *              with the network when a source is not on this machine. Signatures and hashes are checked here.
 *   applying   by the userland's own dpkg, as root with the few capabilities that maintainer scripts need, without any
 *              network, on the layer that is being made and nothing else. It cannot mount, load, trace or make devices.
 *
 * Neither reads a setting that a package could have left behind: APT_CONFIG is read before all others and takes them away.
 */

import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { writeDurably } from "../../../../wire/files.ts";
import type { Context } from "../../../context.ts";
import { type Command, type Finished, type Sandbox, tools_uid } from "../../../exec/exec.ts";
import { howEnded } from "../../../exec/linux.ts";
import { ToolError } from "../../../tool.ts";
import type { AuthorisedFile } from "./deb.ts";
import { folderOf, listsOf } from "./folders.ts";
import { apt_inside, type OpenSources } from "./sources.ts";

const lists_inside = "/run/lists";
const archives_inside = "/run/archives";
const files_inside = "/run/files";
const status_inside = "/run/status";

const mib = 1024 * 1024;
/** apt's index of all that Debian has is some hundred MiB. */
const memory_max_bytes = 1024 * mib;
const output_bytes_max = 512 * 1024;

/** chown and modes of unpacked files, other users' files, changing user, file capabilities. */
const capabilities = ["cap_chown", "cap_dac_override", "cap_fowner", "cap_fsetid", "cap_setuid", "cap_setgid", "cap_setfcap", "cap_kill"];

const common = [
  ...['Dir::Etc::Main "/dev/null";', `Dir::Etc::Parts "${apt_inside}/empty";`, 'Dir::Etc::SourceList "/dev/null";'],
  ...[`Dir::Etc::SourceParts "${apt_inside}/sources.list.d";`, 'Dir::Etc::Preferences "/dev/null";'],
  ...[
    `Dir::Etc::PreferencesParts "${apt_inside}/empty";`,
    'Dir::Etc::Trusted "/dev/null";',
    `Dir::Etc::TrustedParts "${apt_inside}/empty";`,
  ],
  ...[`Dir::State::Lists "${lists_inside}";`, 'Dir::Cache "/tmp";', `Dir::Cache::Archives "${archives_inside}";`, 'Dir::Log "/tmp";'],
  ...['APT::Install-Recommends "false";', 'APT::Install-Suggests "false";', 'APT::Get::Assume-Yes "true";'],
  ...['APT::Get::Show-Versions "false";', 'APT::Color "0";', 'APT::Sandbox::User "root";'],
  // a name is a name: no regular expression, no task
  'APT::Cmd::Pattern-Only "true";',
  'APT::Update::Error-Mode "any";',
  ...['Acquire::Languages "none";', 'Acquire::GzipIndexes "true";', 'Acquire::Retries "2";', 'Acquire::http::Timeout "30";'],
  ...['DPkg::Use-Pty "false";', 'DPkg::Options:: "--force-confdef";', 'DPkg::Options:: "--force-confold";'],
  'DPkg::Options:: "--force-unsafe-io";', // the whole layer is flushed once before it counts
];
const fetching = [...common, `Dir::State::Status "${status_inside}";`, 'Debug::NoLocking "true";'];

export interface Planned {
  readonly name: string;
  readonly what: "install" | "remove";
  readonly before: string | null;
  readonly after: string | null;
}

interface AptOptions {
  /** Its own, below the staging folder. */
  readonly folder: string;
  readonly sources: OpenSources;
  readonly files: readonly AuthorisedFile[];
  /** The base, and the generation that counts, where they are mounted. */
  readonly base: string;
  readonly current: string;
  readonly limit_ms: number;
}

export class Apt {
  readonly #options: AptOptions;
  readonly #context: Context;
  readonly #deadline_ms: number;

  constructor(options: AptOptions, context: Context) {
    this.#options = options;
    this.#context = context;
    this.#deadline_ms = context.clock.boot_ms() + options.limit_ms;
    const { folder } = options;
    for (const name of ["archives", "archives/partial"]) ownFolder(`${folder}/${name}`);
    for (const name of ["", "/partial", "/auxfiles"]) ownFolder(`${listsOf(context.places)}${name}`);
    writeFileSync(`${folder}/fetch.conf`, `${fetching.join("\n")}\n`, { mode: 0o644 });
    writeFileSync(`${folder}/apply.conf`, `${common.join("\n")}\n`, { mode: 0o644 });
  }

  /** Fetches what the sources have to offer. @throws {ToolError} when one is not there, or not signed as it has to be */
  async refresh(): Promise<void> {
    const { sources } = this.#options;
    await this.#fetching("fetching the package lists", ["apt-get", "update", "-q"], { network: sources.network, lists: "write" });
    writeDurably(stampFile(this.#context), JSON.stringify({ sources: sources.digest, time_ms: this.#context.clock.now_ms() }));
  }

  /** Whether what was fetched before is from these very sources. */
  get listed(): boolean {
    return this.#options.sources.names.length === 0 || listedFrom(this.#context) === this.#options.sources.digest;
  }

  /** What would change. @throws {ToolError} when it cannot be */
  async plan(argv: readonly string[]): Promise<Planned[]> {
    const { stdout } = await this.#fetching("planning", ["apt-get", "-q", "--simulate", ...argv], { network: false, lists: "read" });
    return planOf(Buffer.from(stdout).toString());
  }

  /** Fetches the packages, checked against what is signed. */
  async fetch(argv: readonly string[]): Promise<void> {
    await this.#fetching("fetching packages", ["apt-get", "-q", "--download-only", ...argv], {
      network: this.#options.sources.network,
      lists: "read",
    });
  }

  /** apt-cache(8), which only reads. */
  async ask(argv: readonly string[]): Promise<string> {
    const { stdout } = await this.#fetching("asking the package lists", ["apt-cache", "-q", ...argv], { network: false, lists: "read" });
    return Buffer.from(stdout).toString();
  }

  /** Installs or removes in the layer that is mounted at `root`. */
  async apply(root: string, argv: readonly string[]): Promise<void> {
    const { folder } = this.#options;
    const sandbox: Sandbox = {
      root,
      writable_root: true,
      capabilities,
      reads: [[folder, apt_inside], [listsOf(this.#context.places), lists_inside], ...this.#files()],
      writes: [[`${folder}/archives`, archives_inside]],
    };
    await this.#run("changing packages", ["apt-get", "-q", ...argv], "apply.conf", sandbox);
    await this.#whole(root);
  }

  async #whole(root: string): Promise<void> {
    const sandbox: Sandbox = { root };
    const finished = await this.#context.exec.run(
      this.#command(["dpkg", "--audit"], "apply.conf", { ...sandbox, reads: [[this.#options.folder, apt_inside]] }),
    );
    const said = Buffer.from(finished.stdout).toString().trim();
    if (finished.status !== 0 || said !== "")
      throw new ToolError(`looking at the packages failed: dpkg finds them not whole: ${said.slice(0, 1000)}`);
  }

  #files(): [string, string][] {
    return this.#options.files.length === 0 ? [] : [[`${this.#options.folder}/files`, files_inside]];
  }

  async #fetching(
    what: string,
    argv: readonly [string, ...string[]],
    { network, lists }: { network: boolean; lists: "read" | "write" },
  ): Promise<Finished> {
    const { folder, base, current, sources } = this.#options;
    const { sys, places } = this.#context;
    const root = sys.file.open("cwd", current, ["path", "directory"]);
    const status = sys.file.open(root, "/var/lib/dpkg/status", ["path"], ["in-root", "no-magiclinks"]);
    try {
      const lists_shown = [listsOf(places), lists_inside] as const;
      const sandbox: Sandbox = {
        root: base,
        network,
        reads: [
          [folder, apt_inside],
          [status, status_inside],
          ...sources.reads,
          ...this.#files(),
          ...(lists === "read" ? [lists_shown] : []),
        ],
        writes: [[`${folder}/archives`, archives_inside], ...(lists === "write" ? [lists_shown] : [])],
      };
      return await this.#run(what, argv, "fetch.conf", sandbox);
    } finally {
      sys.descriptor.close(status);
      sys.descriptor.close(root);
    }
  }

  async #run(what: string, argv: readonly [string, ...string[]], config: string, sandbox: Sandbox): Promise<Finished> {
    const finished = await this.#context.exec.run(this.#command(argv, config, sandbox));
    if (finished.status === 0) return finished;
    throw new ToolError(`${what} failed: ${whyNot(finished)}${adviceFor(finished)}`);
  }

  #command(argv: readonly [string, ...string[]], config: string, sandbox: Sandbox): Command {
    const [program, ...rest] = argv;
    return {
      argv: [`/usr/bin/${program}`, ...rest],
      sandbox,
      env: {
        APT_CONFIG: `${apt_inside}/${config}`,
        DEBIAN_FRONTEND: "noninteractive",
        DEBCONF_NONINTERACTIVE_SEEN: "true",
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: "/root",
        LC_ALL: "C.UTF-8",
      },
      limits: { timeout_ms: Math.max(1, this.#deadline_ms - this.#context.clock.boot_ms()), memory_max_bytes, output_bytes_max },
      stream: true,
    };
  }
}

/** As apt names the files of this call. */
export function insideOf(file: AuthorisedFile): string {
  return `${files_inside}/${file.file_name}`;
}

function ownFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chownSync(path, tools_uid, tools_uid);
  chmodSync(path, 0o700);
}

function stampFile({ places }: Pick<Context, "places">): string {
  return `${folderOf(places)}/lists.json`;
}

/** Digest of the sources from which the lists are; null when there are none. */
function listedFrom(context: Pick<Context, "places">): string | null {
  return listsStamp(context)?.sources ?? null;
}

export function listsStamp(context: Pick<Context, "places">): { readonly sources: string; readonly time_ms: number } | null {
  const file = stampFile(context);
  if (!existsSync(file)) return null;
  const [, sources, time_ms] = /^\{"sources":"([0-9a-f]{64})","time_ms":(\d+)\}$/.exec(readFileSync(file, "utf8")) ?? [];
  return sources === undefined ? null : { sources, time_ms: Number(time_ms) };
}

/** `Inst hello [1.0] (2.0 Debian:13/stable [amd64])`, `Remv hello [1.0]`, `Purg hello [1.0]` */
const plan_line = /^(Inst|Remv|Purg) ([^\s:]+)(?::\S+)?(?: \[([^\]]+)\])?(?: \((\S+) )?/;

export function planOf(text: string): Planned[] {
  return text.split("\n").flatMap((line): Planned[] => {
    const [, verb, name, before, after] = plan_line.exec(line) ?? [];
    if (verb === undefined || name === undefined) return [];
    return [
      { name, what: verb === "Inst" ? "install" : "remove", before: before ?? null, after: verb === "Inst" ? (after ?? null) : null },
    ];
  });
}

const said_chars_max = 1500;

/** apt's own errors where it has some, else the last that was said. */
function whyNot(finished: Finished): string {
  const said = Buffer.from(finished.stderr).toString("utf8").trim();
  if (finished.ended_for !== null) return `${howEnded(finished)}; it last said ${JSON.stringify(lastOf(finished))}`;
  const errors = said.split("\n").filter((line) => /^(E:|dpkg: error|W: GPG error|W: OpenPGP|Err:)/.test(line));
  const all = said.split("\n").filter((line) => line !== "" && !line.startsWith("debconf:") && !line.includes("SetupAPTPartialDirectory"));
  return `${howEnded(finished)}: ${(errors.length > 0 ? all : [lastOf(finished)]).join("; ").slice(-said_chars_max)}`;
}

function lastOf({ stdout, stderr }: Finished): string {
  const [out, err] = [stdout, stderr].map((bytes) => Buffer.from(bytes).toString("utf8").trim().slice(-500)) as [string, string];
  return err === "" ? out : err;
}

/** What to do, where apt's words leave it open. */
function adviceFor({ stderr, stdout }: Finished): string {
  const said = Buffer.from(stderr).toString() + Buffer.from(stdout).toString();
  if (/is not signed|no longer signed|NO_PUBKEY|not verified|BADSIG|EXPKEYSIG|Missing key|Bad signature/i.test(said))
    return "; look at `signed_by` of that source in the machine config: nothing is taken from a source whose signature does not fit";
  if (/is expired|not valid yet/i.test(said)) return "; the source is out of date, or this machine's clock is wrong (sys.time)";
  if (/Undetermined Error|Hash Sum mismatch|unexpected size/i.test(said))
    return "; what the source gave is not what its signed index names: it is damaged, was tampered with, or is being changed just now; try again, then look at the source";
  if (/No space left on device|ENOSPC/.test(said)) return "; fs.usage shows what takes the room";
  if (/Unable to locate package|has no installation candidate/i.test(said))
    return "; pkg.search finds names, and pkg.update fetches newer lists";
  if (/Version .* was not found/i.test(said)) return "; pkg.info lists the versions that the sources have";
  if (/Unmet dependencies|unmet dependencies/.test(said)) return "; what it depends on is in no source";
  return "";
}
