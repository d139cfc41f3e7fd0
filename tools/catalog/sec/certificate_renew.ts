/** sec.certificate_renew */

import { z } from "zod";
import { ToolError } from "../../tool.ts";
import { accept, certificateNamed, days_input, facts, issue, neededKeys, stillValid } from "./shared/certificate/kept.ts";
import { next_input, nextCertificate } from "./shared/certificate/next.ts";

const Input = z.lazy(() =>
  z.strictObject({
    ...next_input,
    days: days_input.optional().describe("how long it is valid from now on; as before unless it says otherwise"),
    certificate: z
      .string()
      .max(65_536)
      .optional()
      .describe(
        "of one that is signed outside: what the authority has made of the request (PEM, leaf first, with the certificates between)",
      ),
  }),
);
type Input = z.infer<typeof Input>;

export const certificateRenew = nextCertificate<Input>({
  name: "sec.certificate_renew",
  title: "Renew a certificate",
  description:
    "Gives a certificate a new validity for the same key. One that is signed outside gets a new request; with `certificate` it takes in what the authority has answered to the last one. Services that get it find it in their files at once; restart: true starts them again. For a new key take sec.certificate_rotate.",
  input: Input,
  verb: "renewing",
  changes: ({ name, days, certificate }) =>
    certificate === undefined
      ? `the certificate "${name}" is renewed${days === undefined ? "" : ` for ${days} days`}`
      : `the certificate "${name}" takes in what an authority outside has signed`,
  async next(about, { name, days, certificate }, context) {
    const named = certificateNamed(name);
    const now_ms = context.clock.now_ms();
    const before = stillValid(facts("renewing", context.vault.record(named), name), now_ms);
    const wanted = { ...before, days: days ?? before.days };
    const versions = context.vault.versions(named);
    if (certificate === undefined) return await issue(about, wanted, neededKeys(wanted, versions), context);
    if (before.signed_by.by !== "outside")
      throw new ToolError(`${about} failed: a certificate is given, but this one is not signed outside; leave "certificate" out`);
    const taken = accept(about, wanted, versions, certificate, now_ms);
    return { facts: taken, versions: neededKeys(taken, versions) };
  },
});
