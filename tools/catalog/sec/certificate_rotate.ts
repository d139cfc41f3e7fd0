/** sec.certificate_rotate */

import { z } from "zod";
import { certificateNamed, days_input, facts, issue, neededKeys, retired, stillValid } from "./shared/certificate/kept.ts";
import { makeKey } from "./shared/certificate/make.ts";
import { next_input, nextCertificate } from "./shared/certificate/next.ts";

const Input = z.lazy(() =>
  z.strictObject({
    ...next_input,
    days: days_input.optional().describe("how long it is valid from now on; as before unless it says otherwise"),
  }),
);
type Input = z.infer<typeof Input>;

export const certificateRotate = nextCertificate<Input>({
  name: "sec.certificate_rotate",
  title: "Give a certificate a new key",
  description:
    "Makes a new key and a certificate for it. The one before is kept, sealed, until it ends. Of one that is signed outside the old one stays in force until sec.certificate_renew takes in the answer to the new request. Services that get it find it in their files at once; restart: true starts them again. Whoever has pinned the old key has to be told by people.",
  input: Input,
  verb: "rotating",
  changes: ({ name }) => `the certificate "${name}" gets a new key`,
  async next(about, { name, days }, context) {
    const named = certificateNamed(name);
    const now_ms = context.clock.now_ms();
    const before = stillValid(facts("rotating", context.vault.record(named), name), now_ms);
    const versions = context.vault.versions(named);
    const number = (context.vault.record(named)?.versions.at(-1)?.version ?? 0) + 1;
    const key = { version: number, created_ms: now_ms, value: await makeKey(before.key_type) };
    const outside = before.signed_by.by === "outside"; // what is in force stays so
    const wanted = { ...before, days: days ?? before.days, ...(outside ? {} : { earlier: retired(before) }) };
    const issued = await issue(about, wanted, [...versions, key], context);
    return { ...issued, versions: neededKeys(issued.facts, issued.versions) };
  },
});
