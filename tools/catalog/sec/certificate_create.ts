/** sec.certificate_create */

import { z } from "zod";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { vaultResource } from "../../vault/resources.ts";
import { consumerName, Use } from "../../vault/use.ts";
import {
  CertificateSubjectName,
  certificate_output,
  certificateNamed,
  days_input,
  issue,
  outputOf,
  SignedBy,
  signerResource,
  verifyCertificate,
} from "./shared/certificate/kept.ts";
import { makeKey } from "./shared/certificate/make.ts";
import { bringBack, isChangedBy, keepAndHand, lookBefore, name_input, VaultBefore, verifyBefore } from "./shared/vault-change.ts";

const Input = z.lazy(() =>
  z.strictObject({
    name: name_input,
    names: z.array(CertificateSubjectName).max(100).default([]).describe("host names (*.example.org too) and addresses that it is for"),
    subject: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[\x20-\x7e]+$/, "printable ASCII")
      .optional()
      .describe("its common name; the first of `names` unless it says otherwise"),
    days: days_input.default(365).describe("how long it is valid"),
    key_type: z.enum(["ecdsa-p256", "ed25519", "rsa-3072"]).default("ecdsa-p256").describe("kind of its key; browsers do not take ed25519"),
    signed_by: SignedBy.default({ by: "itself" }).describe(
      "itself; an authority of this vault (made with authority: true); or outside: the answer is a request, and what the authority makes of it goes to sec.certificate_renew",
    ),
    authority: z.boolean().default(false).describe("it may sign others: a certificate authority of this vault, which signs itself"),
    uses: z.array(Use).max(16).default([]).describe("to which services it may be handed with its private key"),
  }),
);

export const certificateCreate = defineTool({
  name: "sec.certificate_create",
  title: "Make a certificate",
  description:
    "Makes a key and a certificate for it: signed by itself, by an authority of the vault, or a request for an authority outside. The private key stays in the vault and is handed only to services that are named in `uses`, by service.define or sec.secret_use. For one that there is take sec.certificate_renew (same key) or sec.certificate_rotate (new key).",
  input: Input,
  output: z.lazy(() => z.strictObject(certificate_output)),
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: false,
  tainted: false,
  image: VaultBefore,
  resolve: (input, context): Target => {
    const { name } = input;
    const about = `making the certificate "${name}"`;
    if (context.vault.file(certificateNamed(name)) !== null)
      throw new ToolError(
        `${about} failed: there is one of this name; take sec.certificate_renew or sec.certificate_rotate, or another name`,
      );
    if (input.subject === undefined && input.names.length === 0)
      throw new ToolError(`${about} failed: neither "names" nor "subject" is given`);
    if (input.authority && input.signed_by.by !== "itself")
      throw new ToolError(`${about} failed: an authority signs itself; leave "signed_by" out, or "authority"`);
    if (!input.authority && input.names.length === 0)
      throw new ToolError(
        `${about} failed: "names" is empty, and nobody takes a certificate that is for no name; give host names or addresses`,
      );
    const signer = signerResource("making the certificate", name, input.signed_by, context);
    return { resources: [vaultResource(certificateNamed(name), "write", context.vault), ...signer] };
  },
  preview: (_target, { name, names, days, signed_by, authority, uses }) => ({
    changes: [
      `the ${authority ? "authority" : "certificate"} "${name}" is made for ${names.join(", ") || "nobody by name"}, ${days} days, signed by ${signed_by.by === "authority" ? `"${signed_by.authority}"` : signed_by.by}`,
      ...uses.map((use) => `it may be handed to ${consumerName(use)}`),
    ],
    final: [],
  }),
  snapshot: (_target, { name }, context) => lookBefore(certificateNamed(name), [], context),
  async run(_target, input, context) {
    const { name, names, days, key_type, signed_by, authority, uses } = input;
    const now_ms = context.clock.now_ms();
    const subject = input.subject ?? (names[0] ?? name).slice(0, 64);
    const first = { subject, names, days, key_type, signed_by, authority, chain: [], chain_version: 0, request: null, earlier: [] };
    const key = { version: 1, created_ms: now_ms, value: await makeKey(key_type) };
    const issued = await issue(`making the certificate "${name}"`, first, [key], context);
    const draft = {
      ...{ kind: "certificate" as const, name, owner: context.principal, uses, created_ms: now_ms, changed_by: context.call },
      certificate: issued.facts,
    };
    const { answer } = await keepAndHand(draft, issued.versions, [], context);
    return { ...outputOf(name, issued.facts), ...answer };
  },
  verify: (_target, { name }, _output, context) => verifyCertificate(name, context),
  settled: (image, { call }, context) => isChangedBy(image, call, context),
  undo: (image, _past, context) => bringBack(image, context),
  verifyUndone: (image, _past, context) => verifyBefore(image, context),
});
