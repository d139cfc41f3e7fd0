/** sec.secret_put */

import { z } from "zod";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { recordOrDamaged, vaultResource } from "../../vault/resources.ts";
import { consumerName, Use } from "../../vault/use.ts";
import { givenValue, value_input } from "./shared/secret-value.ts";
import {
  bringBack,
  isChangedBy,
  keepAndHand,
  kept_output,
  lookBefore,
  name_input,
  userNames,
  VaultBefore,
  verifyBefore,
  verifyKept,
} from "./shared/vault-change.ts";

const Input = z.lazy(() =>
  z.strictObject({
    name: name_input,
    ...value_input,
    uses: z
      .array(Use)
      .max(16)
      .optional()
      .describe("to whom it may be handed; of one that there is, left out: as before. Nobody else gets it, whoever asks"),
  }),
);
type Input = z.infer<typeof Input>;

export const secretPut = defineTool({
  name: "sec.secret_put",
  title: "Keep a secret",
  description:
    "Keeps a value (a password, token or key) sealed, under a name, with a list of the services, programs, hosts and tiers to which it may be handed. Nobody can read it back; it is used by service.define, sec.secret_use, process.spawn and net.http. Without value and generate it changes only to whom a secret may be handed. For a new value of one that is in use take sec.secret_rotate.",
  input: Input,
  output: z.lazy(() =>
    z.strictObject({ name: z.string(), created: z.boolean(), owner: z.string(), uses: z.array(z.string()), ...kept_output }),
  ),
  risk: "reversible",
  timeout_ms: 30_000,
  idempotent: false,
  tainted: false,
  image: VaultBefore,
  resolve: (input, context): Target => {
    check(input, context);
    return { resources: [vaultResource({ kind: "secret", name: input.name }, "write", context.vault)] };
  },
  async preview(_target, { name, value, generate, uses }, context) {
    const before = recordOrDamaged({ kind: "secret", name }, context.vault);
    const users = await userNames({ kind: "secret", name }, context);
    const what = value !== undefined ? "gets the value that was given" : generate !== undefined ? "gets a new value" : "keeps its value";
    const may = (uses ?? before?.uses ?? []).map((use) => `${consumerName(use)} ${"argv" in use ? JSON.stringify(use.argv) : ""}`.trim());
    return {
      changes: [
        `the secret "${name}" ${before === null ? "is made and" : ""} ${what}`,
        may.length === 0 ? "nobody may get it" : `it may be handed to ${may.join(", ")}`,
        ...users.map((service) => `the service "${service}" gets it`),
      ],
      final: [],
    };
  },
  snapshot: (_target, { name }, context) => lookBefore({ kind: "secret", name }, [], context),
  async run(_target, input, context) {
    const { name } = input;
    const named = { kind: "secret" as const, name };
    const value = givenValue(aboutOf(name), input);
    const before = recordOrDamaged(named, context.vault);
    const kept = before === null ? [] : context.vault.versions(named);
    const now_ms = context.clock.now_ms();
    const fresh = value === null ? [] : [{ version: (before?.versions.at(-1)?.version ?? 0) + 1, created_ms: now_ms, value }];
    const draft = {
      ...named,
      owner: before?.owner ?? context.principal,
      uses: input.uses ?? before?.uses ?? [],
      created_ms: before?.created_ms ?? now_ms,
      changed_by: context.call,
      certificate: null,
    };
    const { answer } = await keepAndHand(draft, [...kept, ...fresh], [], context);
    return { name, created: before === null, owner: draft.owner, uses: draft.uses.map(consumerName), ...answer };
  },
  verify: (_target, { name }, { version }, context) => verifyKept({ kind: "secret", name }, version, context),
  settled: (image, { call }, context) => isChangedBy(image, call, context),
  undo: (image, _past, context) => bringBack(image, context),
  verifyUndone: (image, _past, context) => verifyBefore(image, context),
});

function aboutOf(name: string): string {
  return `keeping the secret "${name}"`;
}

/** @throws {ToolError} before anything is asked of anybody */
function check(input: Input, { vault }: Context): void {
  const about = aboutOf(input.name);
  if (givenValue(about, input) !== null) return;
  if (vault.record({ kind: "secret", name: input.name }) === null)
    throw new ToolError(`${about} failed: there is none of this name, and no value for a new one; give "value" or "generate"`);
  if (input.uses === undefined)
    throw new ToolError(`${about} failed: neither "value", "generate" nor "uses" is given: there is nothing to change`);
  vault.value({ kind: "secret", name: input.name }); // it is sealed anew, so it has to open
}
