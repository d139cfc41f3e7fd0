/** What a scan finds. */

import { z } from "zod";

export const checks = ["listening", "setuid", "writable", "keys", "packages"] as const;
export const severities = ["high", "medium", "low"] as const;

export const Finding = z.lazy(() =>
  z.strictObject({
    check: z.enum(checks),
    kind: z.enum([
      "undeclared-listener",
      "wrong-listener",
      "declared-but-closed",
      "setuid-file",
      "file-capabilities",
      "world-writable-file",
      "world-writable-folder",
      "weak-key",
      "expired-certificate",
      "exposed-private-key",
      "vulnerable-package",
    ]),
    severity: z.enum(severities),
    where: z.string().max(4300).describe("a path, a port, or a package"),
    evidence: z.string().max(500).describe("what was seen there"),
    advice: z.string().max(300).describe("what to do about it"),
  }),
);
export type Finding = z.infer<typeof Finding>;

/** The gravest first, then by what and where. */
export function byGravity(a: Finding, b: Finding): number {
  const rank = severities.indexOf(a.severity) - severities.indexOf(b.severity);
  if (rank !== 0) return rank;
  const [x, y] = [`${a.check} ${a.kind} ${a.where} ${a.evidence}`, `${b.check} ${b.kind} ${b.where} ${b.evidence}`];
  return x < y ? -1 : x > y ? 1 : 0;
}
