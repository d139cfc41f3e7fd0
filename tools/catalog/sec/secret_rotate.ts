/** sec.secret_rotate */

import { z } from "zod";
import { defineTool, type Target } from "../../tool.ts";
import { Generate } from "../../vault/generate.ts";
import { versions_max } from "../../vault/record.ts";
import { vaultResource } from "../../vault/resources.ts";
import { givenValue, value_input } from "./shared/secret-value.ts";
import {
  bringBack,
  existing,
  isChangedBy,
  keepAndHand,
  kept_output,
  lookBefore,
  name_input,
  restartsOf,
  userNames,
  VaultBefore,
  verifyBefore,
  verifyKept,
} from "./shared/vault-change.ts";

const Input = z.lazy(() =>
  z.strictObject({
    name: name_input,
    ...value_input,
    restart: z.boolean().default(false).describe("start the running services that get it again, and fail when one does not come up"),
  }),
);

export const secretRotate = defineTool({
  name: "sec.secret_rotate",
  title: "Give a secret a new value",
  description: `Gives a secret its next version: the value that is given, or one that is made (base64url of 32 signs unless \`generate\` says otherwise). Services that get it find it in their file at once; restart: true starts them again. The ${versions_max - 1} versions before it are kept, sealed. Who else has to know the new value (the other side of a password) has to be told by people.`,
  input: Input,
  output: z.lazy(() => z.strictObject({ name: z.string(), ...kept_output })),
  risk: "reversible",
  timeout_ms: 150_000,
  idempotent: false,
  tainted: false,
  image: VaultBefore,
  resolve: (input, context): Target => {
    const named = { kind: "secret" as const, name: input.name };
    existing("rotating", named, context);
    givenValue(`rotating the secret "${input.name}"`, input);
    return { resources: [vaultResource(named, "write", context.vault)] };
  },
  async preview(_target, { name, value, restart }, context) {
    const users = await userNames({ kind: "secret", name }, context);
    return {
      changes: [
        `the secret "${name}" gets ${value === undefined ? "a new value" : "the value that was given"}`,
        ...users.map((service) => `the service "${service}" gets it${restart ? " and is started again" : ""}`),
      ],
      final: [],
    };
  },
  snapshot: async (_target, { name, restart }, context) => {
    const named = { kind: "secret" as const, name };
    return await lookBefore(named, await restartsOf(named, restart, context), context);
  },
  async run(_target, input, context) {
    const named = { kind: "secret" as const, name: input.name };
    const about = `rotating the secret "${input.name}"`;
    const { versions, format: _format, ...record } = existing("rotating", named, context);
    const value = givenValue(about, input) ?? givenValue(about, { encoding: "utf8", generate: Generate.parse({}) }) ?? Buffer.alloc(0);
    const fresh = { version: (versions.at(-1)?.version ?? 0) + 1, created_ms: context.clock.now_ms(), value };
    const restarts = await restartsOf(named, input.restart, context);
    const draft = { ...record, changed_by: context.call };
    const { answer } = await keepAndHand(draft, [...context.vault.versions(named), fresh], restarts, context);
    return { name: input.name, ...answer };
  },
  verify: (_target, { name }, { version }, context) => verifyKept({ kind: "secret", name }, version, context),
  settled: (image, { call }, context) => isChangedBy(image, call, context),
  undo: (image, _past, context) => bringBack(image, context),
  verifyUndone: (image, _past, context) => verifyBefore(image, context),
});
