/** The kconfig text format: fragments that say what is wanted, and the `.config` that says what came of it. */

/** "n" stands for off, whether the file says "is not set", "=n" or nothing at all. */
export type Value = string;

export interface Line {
  /** Without the CONFIG_ prefix. */
  readonly symbol: string;
  readonly value: Value;
  readonly line: number;
}

const assignment = /^CONFIG_([A-Za-z0-9_]+)=(y|n|-?[0-9]+|0x[0-9a-fA-F]+|"(?:[^"\\]|\\.)*")$/;
const negation = /^# CONFIG_([A-Za-z0-9_]+) is not set$/;

/**
 * @param name of the file, for errors
 * @throws on a line that is neither an assignment, a negation, a comment nor empty, and on a symbol said twice
 */
export function parseKconfig(text: string, name: string): Line[] {
  const lines: Line[] = [];
  const seen = new Map<string, number>();
  for (const [index, raw] of text.split("\n").entries()) {
    const parsed = parseLine(raw.trimEnd(), name, index + 1);
    if (parsed === undefined) continue;
    const before = seen.get(parsed.symbol);
    if (before !== undefined) {
      throw new Error(
        `reading "${name}" failed: CONFIG_${parsed.symbol} is said in line ${before} and again in line ${parsed.line}; keep one`,
      );
    }
    seen.set(parsed.symbol, parsed.line);
    lines.push(parsed);
  }
  return lines;
}

function parseLine(text: string, name: string, line: number): Line | undefined {
  const off = negation.exec(text);
  if (off?.[1] !== undefined) return { symbol: off[1], value: "n", line };
  if (text === "") return undefined;
  if (text.startsWith("#")) {
    // "# CONFIG_FOO is not set." would be taken for prose and the wish lost.
    if (/^#\s*CONFIG_\S+\s+is\s+not\s+set/i.test(text) || /^#\s*CONFIG_\w+=/.test(text)) {
      throw new Error(
        `reading "${name}" failed: line ${line} "${text}" looks like a setting but is a comment; write "# CONFIG_X is not set"`,
      );
    }
    return undefined;
  }
  const on = assignment.exec(text);
  if (on?.[1] === undefined || on[2] === undefined) {
    throw new Error(
      `reading "${name}" failed: line ${line} "${text}" is not kconfig; write CONFIG_X=y, =number, ="text" or "# CONFIG_X is not set"`,
    );
  }
  return { symbol: on[1], value: on[2], line };
}

/** The text of one setting, as kconfig reads it. */
export function formatSetting(symbol: string, value: Value): string {
  return value === "n" ? `# CONFIG_${symbol} is not set` : `CONFIG_${symbol}=${value}`;
}

/** A `.config` as a map; a symbol that is not in it is off. */
export function parseConfig(text: string, name: string): ReadonlyMap<string, Value> {
  return new Map(parseKconfig(text, name).map(({ symbol, value }) => [symbol, value]));
}
