/** Advisories in OSV's format (ossf.github.io/osv-schema) as Debian publishes them, held against what is installed. */

import { z } from "zod";
import { ToolError } from "../../../../tool.ts";
import { compareDebVersions } from "../deb-version.ts";
import type { Finding } from "./finding.ts";
import type { Installed } from "./packages.ts";

const Version = z.string().max(300);
const Event = z.lazy(() => z.object({ introduced: Version.optional(), fixed: Version.optional(), last_affected: Version.optional() }));
const Affected = z.lazy(() =>
  z.object({
    package: z.object({ ecosystem: z.string().max(100), name: z.string().max(300) }).optional(),
    ranges: z
      .array(z.object({ type: z.string(), events: z.array(Event).max(1000) }))
      .max(1000)
      .default([]),
    versions: z.array(Version).max(100_000).default([]),
    ecosystem_specific: z.object({ urgency: z.string().max(100).optional() }).optional(),
  }),
);
const Advisory = z.lazy(() =>
  z.object({
    id: z.string().min(1).max(200),
    withdrawn: z.string().optional(),
    summary: z.string().optional(),
    affected: z.array(Affected).max(10_000).default([]),
  }),
);
type Advisory = z.infer<typeof Advisory>;

/** Of one document, and of a line where each line is one. */
export const document_bytes_max = 16 * 1024 * 1024;
/** OSV needs seven. */
const depth_max = 64;

export interface Read {
  readonly advisories: Advisory[];
  /** Documents that are no advisories. */
  unread: number;
}

/** One advisory, a list of them, or one on each line. @throws {ToolError} when there is none in it */
export function readAdvisories(text: string, what: string): Read {
  const read: Read = { advisories: [], unread: 0 };
  const whole = parsed(text);
  const documents =
    whole === undefined
      ? text
          .split("\n")
          .filter((line) => line.trim() !== "")
          .map(parsed)
      : [whole].flat();
  for (const document of documents) {
    const advisory = Advisory.safeParse(document);
    if (advisory.success) read.advisories.push(advisory.data);
    else read.unread += 1;
  }
  if (read.advisories.length === 0)
    throw new ToolError(`${what} failed: there is no advisory in it; give OSV's JSON (one, a list, or one on each line)`);
  return read;
}

/** Undefined when it is no JSON, or deeper than any advisory. */
function parsed(text: string): unknown {
  if (!isShallow(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Brackets outside of strings, before a parser makes objects of them. */
function isShallow(text: string): boolean {
  let depth = 0;
  let in_string = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === quote) in_string = !in_string;
    else if (in_string) at += char === backslash ? 1 : 0;
    else if (opening.has(char)) depth += 1;
    else if (closing.has(char)) depth -= 1;
    if (depth > depth_max) return false;
  }
  return true;
}
const [quote, backslash] = [0x22, 0x5c];
const [opening, closing] = [new Set([0x5b, 0x7b]), new Set([0x5d, 0x7d])];

/** OSV's own rule: from `introduced` on, until `fixed` or behind `last_affected`; or one of the versions by name. */
export function isAffected(version: string, { ranges, versions }: Pick<z.infer<typeof Affected>, "ranges" | "versions">): boolean {
  if (versions.includes(version)) return true;
  return ranges.some(({ type, events }) => {
    if (type !== "ECOSYSTEM") return false;
    const starts = events.filter(
      ({ introduced }) => introduced !== undefined && (introduced === "0" || compareDebVersions(introduced, version) <= 0),
    );
    if (starts.length === 0) return false;
    const [last] = starts
      .map(({ introduced = "0" }) => introduced)
      .sort((a, b) => (a === "0" ? 1 : b === "0" ? -1 : compareDebVersions(b, a)));
    const since = (end: string): boolean => last === "0" || last === undefined || compareDebVersions(end, last) >= 0;
    return !events.some(
      ({ fixed, last_affected }) =>
        (fixed !== undefined && since(fixed) && compareDebVersions(version, fixed) >= 0) ||
        (last_affected !== undefined && since(last_affected) && compareDebVersions(version, last_affected) > 0),
    );
  });
}

export function packageFindings(installed: readonly Installed[], advisories: readonly Advisory[]): Finding[] {
  const by_source = Map.groupBy(installed, ({ source }) => source);
  return advisories.flatMap(({ id, withdrawn, summary, affected }) =>
    withdrawn !== undefined
      ? []
      : affected.flatMap((one) =>
          (by_source.get(one.package?.name ?? "") ?? [])
            .filter(({ version, release }) => concerns(one.package?.ecosystem ?? "", release) && isAffected(version, one))
            .map((found) => findingOf(id, summary ?? "", found, one)),
        ),
  );
}

/** `Debian:13`; `Debian` alone is all of them, and what has no release is held against all. */
function concerns(ecosystem: string, release: string | null): boolean {
  const [name, of] = ecosystem.split(":");
  return name === "Debian" && (of === undefined || release === null || of === release);
}

function findingOf(
  id: string,
  summary: string,
  { root, packages, source, version }: Installed,
  affected: z.infer<typeof Affected>,
): Finding {
  const fixed = affected.ranges
    .flatMap(({ events }) => events.flatMap((event) => event.fixed ?? []))
    .filter((one) => compareDebVersions(one, version) > 0);
  const [first] = fixed.sort(compareDebVersions);
  const urgency = affected.ecosystem_specific?.urgency ?? "";
  const severity = urgency.startsWith("high") ? "high" : /^(low|unimportant|end-of-life)/.test(urgency) ? "low" : "medium";
  const repair = root === "image" ? "start an image that was built with it" : "install it with pkg.update";
  return {
    check: "packages",
    kind: "vulnerable-package",
    severity,
    where: `${root}: ${packages.slice(0, 20).join(", ")}`.slice(0, 4300),
    evidence: `${id}: ${source} ${version} is affected${summary === "" ? "" : `: ${summary}`}`.slice(0, 500),
    advice: (first === undefined ? "there is no version yet in which it is mended" : `mended in ${first}: ${repair}`).slice(0, 300),
  };
}
