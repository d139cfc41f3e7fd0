/** The parts of a JUnit XML report, as `bun test --reporter=junit` writes it, that the summary of all suites is made of. */

interface Report {
  readonly tests: number;
  readonly failed: number;
  readonly skipped: number;
  /** `file: name: first line of what went wrong` of each failed test, in the report's order. */
  readonly broken: readonly string[];
}

/** @param text the whole report; an empty one (the runner died before it wrote it) has no tests */
export function junit(text: string): Report {
  const head = /<testsuites [^>]*>/.exec(text)?.[0] ?? "";
  const read = (name: string): number => Number(attribute(head, name) ?? 0);
  const cases = text.matchAll(/<testcase ([^>]*[^/])>\s*<(?:failure|error)\b([^>]*)>/g);
  const broken = [...cases].map(([, test = "", failure = ""]) =>
    [attribute(test, "file"), attribute(test, "name"), attribute(failure, "message")?.split("\n")[0]].filter(Boolean).join(": "),
  );
  return { tests: read("tests"), failed: read("failures") + read("errors"), skipped: read("skipped"), broken };
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`)
    .exec(tag)?.[1]
    ?.replace(/&(?:#(\d+)|(lt|gt|quot|apos|amp));/g, (_, code, word) =>
      code === undefined ? (entities[word] ?? "") : String.fromCodePoint(Number(code)),
    );
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
