/** What a report of bun (JUnit XML) says of the tests that prove a duty. */

export interface Case {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Class and message of the failure. */
  readonly said: string;
}

/** The cases of a report, in order. */
export function casesOf(report: string): Case[] {
  return [...report.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(([, name, inner = ""]): Case => {
    const failure = /<failure(?: type="([^"]*)")?(?: message="([^"]*)")?/.exec(inner);
    if (failure !== null) return { name: plain(name), outcome: "failed", said: `${plain(failure[1])}: ${plain(failure[2])}` };
    return { name: plain(name), outcome: inner.includes("<skipped") ? "skipped" : "passed", said: "" };
  });
}

const entities: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&" };

function plain(text = ""): string {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code: string | undefined, word: string) =>
    code === undefined ? (entities[word] ?? whole) : String.fromCodePoint(Number(code)),
  );
}

/**
 * `killed`: the test failed, as it should without the duty. `survived`: it did not notice. `broken`: it did not come to an
 * answer of its own, so the removal shows nothing (source that does not run, a preparation that failed, a time limit).
 */
export interface Verdict {
  readonly verdict: "killed" | "survived" | "broken";
  readonly detail: string;
}

/** Errors of a program that was cut up wrongly; no test says these by itself. */
const of_the_cut = /\b(?:ReferenceError|SyntaxError|TypeError|TimeoutError|ResolveMessage|BuildMessage)\b/;

/** @param report null when there is none */
export function verdictOn(report: string | null, test: string): Verdict {
  const all = report === null ? [] : casesOf(report);
  const own = all.filter(({ name, outcome }) => name === test && outcome !== "skipped");
  const failed = own.filter(({ outcome }) => outcome === "failed");
  if (own.length === 0) {
    const other = all.find(({ outcome }) => outcome === "failed");
    return { verdict: "broken", detail: other === undefined ? "the test did not run" : `"${other.name}" failed: ${other.said}` };
  }
  if (failed.length === 0) return { verdict: "survived", detail: `"${test}" still passes` };
  const clean = failed.find(({ said }) => !of_the_cut.test(said));
  return clean === undefined ? { verdict: "broken", detail: failed[0]?.said ?? "" } : { verdict: "killed", detail: clean.said };
}
