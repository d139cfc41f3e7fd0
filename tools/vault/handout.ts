/**
 * Values on their way to those that use them: files on /run, which is memory, each readable by its consumer's uid alone.
 *
 *   <run>/secrets/<service>/   as long as the service is defined: PID 1 shows it the folder, also when it restarts it by itself
 *   <run>/secrets/<tier>/      keys of models (tier.ts)
 *   <run>/secrets/.calls/…     for a program of one call: until it stands in its sandbox, or has ended
 *
 * Who else could open them by path: nobody. Tools do not reach below /run/aios (a policy), sandboxes do not have it.
 */

import { chmodSync, chownSync, closeSync, fchownSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { secretsFolder } from "../../contracts/paths.ts";
import type { Places } from "../context.ts";
import { ToolError } from "../tool.ts";
import type { VaultKind } from "./record.ts";
import type { Named, Vault } from "./vault.ts";

/** What a service is to find. */
export interface Handed {
  readonly secrets: readonly string[];
  readonly certificates: readonly string[];
}

const calls_folder = ".calls";

export function namedOf({ secrets, certificates }: Handed): Named[] {
  const of = (kind: VaultKind, names: readonly string[]): Named[] => names.map((name) => ({ kind, name }));
  return [...of("secret", secrets), ...of("certificate", certificates)];
}

/** Files by name. @throws {ToolError} when one cannot be opened */
function filesOf(named: Named, vault: Vault): [name: string, content: Uint8Array][] {
  if (named.kind === "secret") return [[named.name, vault.value(named)]];
  const facts = vault.record(named)?.certificate;
  if (facts == null || facts.chain.length === 0)
    throw new ToolError(
      `opening the certificate "${named.name}" failed: nobody has signed it yet; give what the authority answers to sec.certificate_renew`,
    );
  return [
    [`${named.name}.crt`, Buffer.from(facts.chain.join(""))],
    [`${named.name}.key`, pemOf(vault.value(named, facts.chain_version))],
  ];
}

/** RFC 7468 */
function pemOf(pkcs8: Uint8Array): Buffer {
  const lines =
    Buffer.from(pkcs8)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return Buffer.from(`-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`);
}

/**
 * The folder of a service holds these and nothing else afterwards; each file is replaced whole.
 * @param how `all`: one that cannot be opened is an error, and nothing has changed. `what-opens`: it is left out
 */
export function handOut(service: string, uid: number, handed: Handed, { vault, places }: Ports, how: "all" | "what-opens" = "all"): void {
  const wanted = namedOf(handed);
  if (wanted.length === 0) {
    withdraw(service, places);
    return;
  }
  const files = wanted.flatMap((named) => {
    try {
      return filesOf(named, vault);
    } catch (error) {
      if (how === "all") throw error;
      return [];
    }
  });
  const folder = makeFolder(secretsFolder(service, places.run), uid, places);
  for (const [name, content] of files) writeFile(folder, name, content, uid);
  const names = new Set(files.map(([name]) => name));
  for (const name of readdirSync(folder)) if (!names.has(name)) rmSync(join(folder, name), { force: true });
}

export function withdraw(service: string, { run }: Pick<Places, "run">): void {
  rmSync(secretsFolder(service, run), { recursive: true, force: true });
}

export interface Ports {
  readonly vault: Vault;
  readonly places: Pick<Places, "run">;
}

/** One value for a program of a call. @returns its path, and what takes it away */
export function handToCall(call: string, name: string, value: Uint8Array, uid: number, { run }: Pick<Places, "run">) {
  const folder = makeFolder(join(secretsFolder(calls_folder, run), call), uid, { run });
  writeFile(folder, name, value, uid);
  return { path: join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** At the broker's start: what calls of an earlier one left. Never throws. */
export function clearHandouts({ run }: Pick<Places, "run">): void {
  rmSync(secretsFolder(calls_folder, run), { recursive: true, force: true });
}

function makeFolder(path: string, uid: number, { run }: Pick<Places, "run">): string {
  // others may pass, not look
  for (const folder of [join(run, "secrets"), ...(path.includes(`/${calls_folder}/`) ? [secretsFolder(calls_folder, run)] : [])]) {
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    chmodSync(folder, 0o711);
  }
  mkdirSync(path, { recursive: true, mode: 0o500 });
  chownSync(path, uid, uid);
  chmodSync(path, 0o500);
  return path;
}

/** Replaces it whole; readable by that uid alone. */
export function writeFile(folder: string, name: string, content: Uint8Array, uid: number): void {
  const fresh = join(folder, `.${name}`);
  rmSync(fresh, { force: true });
  const fd = openSync(fresh, "wx", 0o400);
  try {
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
    fchownSync(fd, uid, uid);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, join(folder, name));
}
