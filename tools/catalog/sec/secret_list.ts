/** sec.secret_list */

import { z } from "zod";
import type { Context } from "../../context.ts";
import { defineTool } from "../../tool.ts";
import { VaultKind } from "../../vault/record.ts";
import { consumerName } from "../../vault/use.ts";
import type { Listed } from "../../vault/vault.ts";
import { definedServices, type User, usersAmong } from "./shared/vault-change.ts";

const Line = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    kind: VaultKind,
    owner: z.string().nullable().describe("who put it; null when its file is damaged"),
    versions: z.array(z.strictObject({ version: z.number().int(), age_s: z.number().int() })).describe("those that are kept, oldest first"),
    uses: z.array(z.string().max(300)).describe("to whom it may be handed: service:NAME, program:PATH, host:NAME:PORT"),
    services: z.array(z.string()).describe("services that get it now"),
    sealed_by: z.enum(["tpm", "file"]).nullable().describe("null when it cannot be opened"),
    trouble: z.string().nullable().describe("why it cannot be opened, and what to do"),
  }),
);

export const secretList = defineTool({
  name: "sec.secret_list",
  title: "List secrets",
  description:
    "Names the secrets and certificates that the system keeps, with owner, versions, age, to whom they may be handed, which services get them, and whether they open. Never their values: nothing gives those.",
  input: z.lazy(() =>
    z.strictObject({
      kind: VaultKind.nullable().default(null).describe("only these; null: both"),
      offset: z.number().int().min(0).max(100_000).default(0).describe("leave out so many"),
      limit: z.number().int().min(1).max(50).default(50).describe("at most so many"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      secrets: z.array(Line),
      total: z.number().int(),
      sealed_by: z
        .enum(["tpm", "file"])
        .nullable()
        .describe(
          "what new values are sealed by. file: there is no TPM, and who has the whole disk can open them. null: nothing was sealed yet",
        ),
    }),
  ),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: ({ kind }) => ({
    resources: VaultKind.options
      .filter((one) => kind === null || kind === one)
      .map((one) => ({ kind: one, id: "*", access: "read" as const, attributes: {} })),
  }),
  async run(_target, { kind, offset, limit }, context) {
    const all = context.vault.list().filter((one) => kind === null || one.kind === kind);
    const page = all.slice(offset, offset + limit);
    const services = await definedServices(context);
    return {
      secrets: page.map((one) => lineOf(one, services, context)),
      total: all.length,
      sealed_by: context.vault.sealed_by,
    };
  },
});

function lineOf({ kind, name, record, sealed_by, trouble }: Listed, services: readonly User[], context: Context): z.infer<typeof Line> {
  const now_ms = context.clock.now_ms();
  return {
    ...{ name, kind, sealed_by },
    owner: record?.owner ?? null,
    versions: (record?.versions ?? []).map(({ version, created_ms }) => ({
      version,
      age_s: Math.max(0, Math.round((now_ms - created_ms) / 1000)),
    })),
    uses: (record?.uses ?? []).map((use) => consumerName(use).slice(0, 300)),
    services: usersAmong(services, { kind, name }).map(({ service }) => service),
    trouble: trouble?.slice(0, 500) ?? null,
  };
}
