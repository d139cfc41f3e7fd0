/** What renewing and rotating a certificate have in common. */

import { z } from "zod";
import type { Context } from "../../../../context.ts";
import { defineTool, type Target } from "../../../../tool.ts";
import { vaultResource } from "../../../../vault/resources.ts";
import {
  bringBack,
  existing,
  isChangedBy,
  keepAndHand,
  lookBefore,
  name_input,
  restartsOf,
  userNames,
  VaultBefore,
  verifyBefore,
} from "../vault-change.ts";
import { certificate_output, certificateNamed, facts, type Issued, outputOf, signerResource, verifyCertificate } from "./kept.ts";

interface Words<I> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodType<I>;
  /** `renewing` */
  readonly verb: string;
  /** For people: what becomes of it. */
  changes(input: I): string;
  /** Its next state. */
  next(about: string, input: I, context: Context): Promise<Issued>;
}

export const next_input = {
  name: name_input,
  restart: z.boolean().default(false).describe("start the running services that get it again, and fail when one does not come up"),
};

interface Named {
  readonly name: string;
  readonly restart: boolean;
}

export function nextCertificate<I extends Named>({ name: tool, title, description, input, verb, changes, next }: Words<I>) {
  return defineTool<I, z.infer<typeof Output>, Target, VaultBefore>({
    ...{ name: tool, title, description, input },
    output: Output,
    risk: "reversible",
    timeout_ms: 150_000,
    idempotent: false,
    tainted: false,
    image: VaultBefore,
    resolve: ({ name }, context) => {
      const named = certificateNamed(name);
      const { signed_by } = facts(verb, existing(verb, named, context), name);
      return {
        resources: [vaultResource(named, "write", context.vault), ...signerResource(`${verb} the certificate`, name, signed_by, context)],
      };
    },
    async preview(_target, given, context) {
      const users = await userNames(certificateNamed(given.name), context);
      const services = users.map((service) => `the service "${service}" gets it${given.restart ? " and is started again" : ""}`);
      return { changes: [changes(given), ...services], final: [] };
    },
    snapshot: async (_target, { name, restart }, context) => {
      const named = certificateNamed(name);
      return await lookBefore(named, await restartsOf(named, restart, context), context);
    },
    async run(_target, given, context) {
      const named = certificateNamed(given.name);
      const { versions: _versions, format: _format, ...record } = existing(verb, named, context);
      const issued = await next(`${verb} the certificate "${given.name}"`, given, context);
      const restarts = await restartsOf(named, given.restart, context);
      const draft = { ...record, changed_by: context.call, certificate: issued.facts };
      const { answer } = await keepAndHand(draft, issued.versions, restarts, context);
      return { ...outputOf(given.name, issued.facts), ...answer };
    },
    verify: (_target, { name }, _output, context) => verifyCertificate(name, context),
    settled: (image, { call }, context) => isChangedBy(image, call, context),
    undo: (image, _past, context) => bringBack(image, context),
    verifyUndone: (image, _past, context) => verifyBefore(image, context),
  });
}

const Output = z.lazy(() => z.strictObject(certificate_output));
