/** What the tools of the knowledge base have in common. */

import { z } from "zod";
import { type Change, DocumentId, type Listed, type Shown } from "../../../../contracts/memory/knowledge.ts";
import type { Resource } from "../../../../contracts/tool.ts";
import { withoutSecrets } from "../../../../wire/secrets-in-text.ts";
import type { Context } from "../../../context.ts";
import { type Target, ToolError } from "../../../tool.ts";
import { asked, memoryOf } from "../../shared/ask-memory.ts";

export const IdField = DocumentId.describe("the document's id, as knowledge.list and knowledge.search give it: runbooks/disk-full");
export const ReasonField = z.string().min(1).max(1000).describe("why: it stands with the version for good");
export const TextField = z
  .string()
  .min(1)
  .max(65_536)
  .describe(
    "the whole document: a line ---, YAML front matter (title, kind, summary; then applies_to, tools, events, severity, symptoms, parameters where they apply), a line ---, Markdown; at most 64 KiB. The kind has to fit the id: a playbook is playbooks/…",
  );

/** Which version counted before: what undo brings back. */
export const Before = z.strictObject({
  id: DocumentId,
  version: z.number().int().nullable(),
  sha256: z.string().nullable(),
});
export type Before = z.infer<typeof Before>;

export interface DocumentTarget extends Target {
  readonly now: Listed | null;
}

export async function shown(id: string, context: Context, version: number | null = null): Promise<Shown | null> {
  return await asked(memoryOf(context, `looking at "${id}"`).call("knowledge.show", { id, version, section: null }));
}

export const allDocuments = (): Target => ({ resources: [{ kind: "document", id: "*", access: "read", attributes: {} }] });

export const readsDocument = (id: string): Target => ({ resources: [{ kind: "document", id, access: "read", attributes: {} }] });

export async function changes(id: string, access: Resource["access"], context: Context): Promise<DocumentTarget> {
  const now = (await shown(id, context))?.document ?? null;
  const known = now === null ? {} : { shipped: now.shipped, author: now.author };
  return { now, resources: [{ kind: "document", id, access, attributes: { exists: now !== null, ...known } }] };
}

export function before(id: string, { now }: DocumentTarget): Before {
  return { id, version: now?.version ?? null, sha256: now?.sha256 ?? null };
}

/** Text that repeats what came from outside stays marked: where it came from is in the audit, under the call. */
export function taintOf({ tainted, call }: Pick<Context, "tainted" | "call">, member: string): string[] {
  const is_tainted = tainted.some((pointer) => pointer === "" || pointer === `/${member}` || pointer.startsWith(`/${member}/`));
  return is_tainted ? [`call:${call}`] : [];
}

/** Memory would take it out, and the document be another than was meant. @throws {ToolError} */
export function refuseSecrets(doing: string, text: string): void {
  const [kind] = withoutSecrets(text).redacted;
  if (kind === undefined) return;
  const line = text.split("\n").findIndex((one) => withoutSecrets(one).redacted.length > 0) + 1;
  const where = line === 0 ? "the text" : `line ${line}`;
  throw new ToolError(
    `${doing} failed: ${where} holds what has the form of a secret (${kind}); keep it with sec.secret_put and name it there, or write <${kind}> in its place`,
  );
}

export async function isOf(id: string, call: string, context: Context): Promise<boolean> {
  const now = await shown(id, context);
  if (now !== null) return now.document.call === call;
  const { versions } = await asked(memoryOf(context, `looking at "${id}"`).call("knowledge.history", { id, before: null, limit: 1 }));
  return versions[0]?.call === call;
}

/** The version before counts again, as a version of its own; without one the document is withdrawn. Done twice it is done once. */
export async function bringBack({ id, version, sha256 }: Before, call: string, context: Context): Promise<void> {
  const now = await shown(id, context);
  if ((now?.document.sha256 ?? null) === sha256) return;
  const change: Change = version === null ? { withdraw: true } : { version };
  await asked(
    memoryOf(context, `taking back the change of "${id}"`).call("knowledge.edit", {
      ...{ id, change, expected: null, taint: [], call: context.call, author: context.principal },
      reason: `undo of ${call}`,
    }),
  );
}

export async function verifyBack({ id, sha256 }: Before, context: Context): Promise<void> {
  const now = await shown(id, context);
  if ((now?.document.sha256 ?? null) !== sha256)
    throw new ToolError(`verifying the document "${id}" failed: another version counts than before; look with knowledge.history`);
}
