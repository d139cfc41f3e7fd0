/** sec.secret_delete */

import { z } from "zod";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { VaultKind } from "../../vault/record.ts";
import { vaultResource } from "../../vault/resources.ts";
import { words } from "../../vault/vault.ts";
import { handAgain, name_input, userNames } from "./shared/vault-change.ts";

export const secretDelete = defineTool({
  name: "sec.secret_delete",
  title: "Delete a secret or certificate",
  description:
    "Deletes a secret, or a certificate with its private key, and takes it away from the services that get it. It cannot be taken back, nor can earlier changes of it. To keep the name and change the value take sec.secret_rotate; to stop handing it to one service take sec.secret_use with withdraw.",
  input: z.lazy(() => z.strictObject({ name: name_input, kind: VaultKind.default("secret").describe("which of the two") })),
  output: z.lazy(() => z.strictObject({ name: z.string(), services: z.array(z.string()).describe("services that miss it from now on") })),
  risk: "irreversible",
  timeout_ms: 30_000,
  idempotent: false,
  tainted: false,
  image: null,
  resolve: ({ kind, name }, { vault }): Target => {
    if (vault.file({ kind, name }) === null)
      throw new ToolError(`deleting ${words({ kind, name })} failed: there is none; sec.secret_list names those that there are`);
    return { resources: [vaultResource({ kind, name }, "delete", vault)] };
  },
  async preview(_target, { kind, name }, context) {
    const users = await userNames({ kind, name }, context);
    return {
      changes: [
        `${words({ kind, name })} is deleted`,
        ...users.map((service) => `the service "${service}" uses it, and misses it from then on`),
      ],
      final: ["its value, in all versions", ...users.map((service) => `what "${service}" cannot do without it`)],
    };
  },
  async run(_target, { kind, name }, context) {
    await context.vault.bringBack({ kind, name }, null);
    return { name, services: await handAgain({ kind, name }, context, "what-opens") };
  },
  verify(_target, { kind, name }, _output, { vault }) {
    if (vault.file({ kind, name }) !== null)
      throw new ToolError(`verifying that ${words({ kind, name })} is deleted failed: it is still there`);
  },
});
