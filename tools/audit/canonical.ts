/**
 * Canonical JSON (RFC 8785): members sorted by UTF-16 code units, no white space; numbers and strings as ECMAScript
 * writes them, which is what the RFC asks for. A lone surrogate, which the RFC refuses, is written as its escape:
 * an audit that drops what it cannot spell would be of no use.
 */

/** @throws {TypeError} for what is not JSON: NaN, an infinity, a function, a bigint, a cycle deeper than `depth_max` */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > depth_max) throw new TypeError(`writing canonical JSON failed: it is nested deeper than ${depth_max}`);
  if (typeof value === "number" && !Number.isFinite(value))
    throw new TypeError(`writing canonical JSON failed: "${value}" is no number of JSON`);
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null, depth + 1)).join(",")}]`;
  if (typeof value !== "object") throw new TypeError(`writing canonical JSON failed: a ${typeof value} is not JSON`);
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, key);
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member, depth + 1)}`);
  }
  return `{${members.join(",")}}`;
}

/** Deeper than any schema of ours; SQLite's JSON functions stop at 1000. */
const depth_max = 200;
