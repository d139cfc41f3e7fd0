/** A certificate of the vault: its facts, its keys, and how it comes to its next state. */

import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { z } from "zod";
import type { Resource } from "../../../../../contracts/tool.ts";
import type { Context } from "../../../../context.ts";
import { ToolError } from "../../../../tool.ts";
import { type CertificateFacts, type Opened, VaultName, type VaultRecord } from "../../../../vault/record.ts";
import type { Named } from "../../../../vault/vault.ts";
import { kept_output } from "../vault-change.ts";
import { belongs, problemsOf, readChain } from "./look.ts";
import { makeCertificate, makeRequest, type Signer, type Wish } from "./make.ts";

export const SignedBy = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("itself") }),
  z.strictObject({ by: z.literal("authority"), authority: VaultName.describe("a certificate of the vault that may sign") }),
  z.strictObject({ by: z.literal("outside") }),
]);

/** A host name, with a star for its first label perhaps (RFC 6125), or an address. */
export const CertificateSubjectName = z
  .string()
  .max(253)
  .refine(
    (name) => isIP(name) !== 0 || /^(\*\.)?([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(name),
    "a host name, one with *. before it, or an address",
  );

export const days_input = z.number().int().min(1).max(7300);

export const certificate_output = {
  name: z.string(),
  certificate: z
    .string()
    .nullable()
    .describe("the chain that is in force, PEM, leaf first; null while an authority outside has not answered"),
  request: z
    .string()
    .nullable()
    .describe("what an authority outside has to sign (PKCS #10, PEM); give its answer to sec.certificate_renew"),
  ends_ms: z.number().nullable().describe("milliseconds since 1970"),
  ...kept_output,
};

export function facts(about: string, record: VaultRecord | null, name: string): CertificateFacts {
  if (record?.certificate == null)
    throw new ToolError(`${about} the certificate "${name}" failed: there is none; sec.secret_list names those that there are`);
  return record.certificate;
}

export function certificateNamed(name: string): Named {
  return { kind: "certificate", name };
}

/** The use of an authority's key, as policies see it: one that signs is intended for that. @throws {ToolError} */
export function signerResource(about: string, name: string, signed_by: CertificateFacts["signed_by"], { vault }: Context): Resource[] {
  if (signed_by.by !== "authority") return [];
  const record = vault.record(certificateNamed(signed_by.authority));
  const { authority, chain } = facts(`${about} "${name}": looking at`, record, signed_by.authority);
  if (!authority || chain.length === 0 || signed_by.authority === name)
    throw new ToolError(`${about} "${name}" failed: "${signed_by.authority}" may not sign others; make one with authority: true`);
  const attributes = { exists: true, owner: record?.owner ?? "", consumer: `certificate:${name}`, intended: true };
  return [{ kind: "certificate", id: signed_by.authority, access: "execute", attributes }];
}

export interface Issued {
  readonly facts: CertificateFacts;
  /** Versions of the key that are needed on, oldest first. */
  readonly versions: readonly Opened[];
}

/** Signs for the newest of these keys, or makes the request for it. */
export async function issue(about: string, facts: CertificateFacts, versions: readonly Opened[], context: Context): Promise<Issued> {
  const key = versions.at(-1);
  if (key === undefined) throw new Error(`${about} failed: it has no key; this is a defect`);
  const wish: Wish = { ...facts, now_ms: context.clock.now_ms() };
  if (facts.signed_by.by === "outside") return { facts: { ...facts, request: await makeRequest(wish, key.value) }, versions };
  const signer = facts.signed_by.by === "authority" ? signerOf(about, facts.signed_by.authority, wish, context) : null;
  const certificate = await makeCertificate(wish, key.value, signer?.signer ?? null);
  return { facts: { ...facts, chain: [certificate, ...(signer?.chain ?? [])], chain_version: key.version, request: null }, versions };
}

function signerOf(about: string, name: string, { now_ms, days }: Wish, { vault }: Context) {
  const named = certificateNamed(name);
  const { chain, chain_version, key_type } = facts(`${about}: looking at`, vault.record(named), name);
  const [certificate = ""] = chain;
  const ends_ms = new X509Certificate(certificate).validToDate.getTime();
  if (now_ms + days * 86_400_000 > ends_ms)
    throw new ToolError(
      `${about} failed: it would outlive its authority "${name}", which ends at ${new Date(ends_ms).toISOString()}; take fewer days, or renew the authority first`,
    );
  const signer: Signer = { key_type, certificate, pkcs8: vault.value(named, chain_version) };
  return { signer, chain };
}

/** What an authority outside has answered. @throws {ToolError} when it is not for the newest key, has ended, or does not hold together */
export function accept(about: string, facts: CertificateFacts, versions: readonly Opened[], pem: string, now_ms: number): CertificateFacts {
  const refuse = (why: string): never => {
    throw new ToolError(`${about} failed: what is given ${why}; give the certificate for the request that sec.certificate_inspect shows`);
  };
  const chain = parsed(pem, refuse);
  const [leaf] = chain;
  const key = versions.at(-1);
  if (leaf === undefined || key === undefined) return refuse("holds no certificate in PEM");
  if (chain.length > 8) refuse("is a chain of more than 8");
  if (!belongs(leaf, key.value)) refuse("is for another key");
  const faults = problemsOf(chain, now_ms, facts.names[0] ?? null).filter((one) => !/ ends in \d+ days$/.test(one));
  if (faults.length > 0) refuse(`has faults: ${faults.join("; ")}`);
  return { ...facts, chain: chain.map((one) => `${one.toString().trimEnd()}\n`), chain_version: key.version, request: null };
}

function parsed(pem: string, refuse: (why: string) => never): X509Certificate[] {
  try {
    return readChain(pem);
  } catch {
    return refuse("is no certificate that can be read");
  }
}

/** The one in force goes before the next one, until it ends. */
export function retired(facts: CertificateFacts): CertificateFacts["earlier"] {
  const [leaf] = facts.chain;
  if (leaf === undefined) return [];
  return [{ chain: facts.chain, version: facts.chain_version, until_ms: new X509Certificate(leaf).validToDate.getTime() }];
}

/** The newest key, that of the chain in force and those of earlier certificates that have not ended. */
export function neededKeys(facts: CertificateFacts, versions: readonly Opened[]): Opened[] {
  const needed = new Set([facts.chain_version, ...facts.earlier.map(({ version }) => version), versions.at(-1)?.version]);
  return versions.filter(({ version }) => needed.has(version));
}

export function stillValid(facts: CertificateFacts, now_ms: number): CertificateFacts {
  return { ...facts, earlier: facts.earlier.filter(({ until_ms }) => until_ms > now_ms) };
}

export function outputOf(name: string, { chain, request }: CertificateFacts) {
  const [leaf] = chain;
  return {
    name,
    certificate: leaf === undefined ? null : chain.join(""),
    request,
    ends_ms: leaf === undefined ? null : new X509Certificate(leaf).validToDate.getTime(),
  };
}

/** That the chain in force opens, belongs to its key, and is valid now. @throws {ToolError} */
export function verifyCertificate(name: string, { vault, clock }: Context): void {
  const named = certificateNamed(name);
  const { chain, chain_version, request } = facts("verifying", vault.record(named), name);
  const [leaf] = chain;
  if (leaf === undefined) {
    if (request === null) throw new ToolError(`verifying the certificate "${name}" failed: it has neither a certificate nor a request`);
    return;
  }
  if (!belongs(new X509Certificate(leaf), vault.value(named, chain_version)))
    throw new ToolError(`verifying the certificate "${name}" failed: its private key is another one`);
  const faults = problemsOf(
    chain.map((one) => new X509Certificate(one)),
    clock.now_ms(),
    null,
  ).filter((one) => !/ ends in /.test(one));
  if (faults.length > 0) throw new ToolError(`verifying the certificate "${name}" failed: ${faults.join("; ")}`);
}
