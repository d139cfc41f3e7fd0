/** The list of duties stays true: what it names is there, and each removal fits the source as it is. `make mutate` does the rest. */

import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { checkout, type Edit, edited, levelOfDuty, loadDuties } from "./list.ts";
import { casesOf, verdictOn } from "./verdict.ts";

const duties = loadDuties();
const text = (file: string): string => readFileSync(join(checkout, file), "utf8");

/** The files that a removal changes, as they are then. */
function cutFiles(cuts: readonly Edit[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const cut of cuts) files.set(cut.in, edited(files.get(cut.in) ?? text(cut.in), cut));
  return files;
}

test("every duty has an id of its own", () => {
  const ids = duties.map(({ id }) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  expect(ids.length).toBeGreaterThan(200);
});

test("every removal fits the source once, and leaves something that can be read", () => {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const wrong: string[] = [];
  for (const { id, remove } of duties) {
    try {
      for (const [file, cut] of cutFiles(remove)) {
        if (file.endsWith(".ts")) transpiler.transformSync(cut);
        if (file.endsWith(".yaml")) parse(cut);
        if (cut === text(file)) wrong.push(`${id}: it changes nothing in "${file}"`);
      }
    } catch (error) {
      wrong.push(`${id}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("every test that is cited exists", () => {
  const wrong = duties.flatMap(({ id, proof }) =>
    proof
      .filter(({ in: file, test: name }) => {
        if (!/\.test\.tsx?$/.test(file) || !existsSync(join(checkout, file))) return true;
        const patterns = [JSON.stringify(name), `'${name}'`].map(
          (quoted) => new RegExp(`^\\s*test(?:\\.[a-zA-Z]+\\([^\\n]*\\))?\\(\\s*${RegExp.escape(quoted)},`, "m"),
        );
        return !patterns.some((pattern) => pattern.test(text(file))) && !templates(text(file)).some((pattern) => pattern.test(name));
      })
      .map((each) => `${id}: "${each.in}" has no test "${each.test}"`),
  );
  expect(wrong).toEqual([]);
});

/** Names of tests that hold a variable: in a template, or as `%s` in a table of tests. */
function templates(source: string): RegExp[] {
  const names = [...source.matchAll(/test(?:\.each\([^\n]*\))?\(\s*(?:`([^`]*\$\{[^`]*)`|"([^"]*%s[^"]*)")/g)];
  return names.map(([, template, table]) => {
    const parts = (template ?? table ?? "").split(/\$\{[^}]*\}|%s/);
    return new RegExp(`^${parts.map(RegExp.escape).join(".+")}$`);
  });
}

test("every phase of bring-up, every step of the way down and every rule is somebody's duty", () => {
  const touched = new Set(duties.flatMap(({ remove }) => remove.map((cut) => cut.in)));
  const phases = [...text("init/boot/phases.ts").matchAll(/^import \{[^}]*\} from "\.\/([a-z-]+\.ts)";$/gm)].map(
    ([, file = ""]) => `init/boot/${file}`,
  );
  const rules = readdirSync(join(checkout, "agents/reactive/rules")).filter((name) => name.endsWith(".yaml"));
  const wanted = [...phases, "init/shutdown/steps.ts", ...rules.map((name) => `agents/reactive/rules/${name}`)];
  expect(wanted.length).toBeGreaterThan(20);
  // these only ask for what pid1.ts does; who starts what is seen there
  const elsewhere = [
    "init/boot/console.ts",
    "init/boot/control.ts",
    "init/boot/start-services.ts",
    "init/boot/result.ts",
    "init/boot/phase.ts",
  ];
  expect(wanted.filter((file) => !touched.has(file) && !elsewhere.includes(file))).toEqual([]);
});

test("the slow ones are few", () => {
  expect(duties.filter((duty) => levelOfDuty(duty) === "unit").length).toBeGreaterThan(duties.length / 2);
});

test("what is to be taken away has to be there, once", () => {
  const edit = { in: "f", take: "b", put: "x" };
  expect(edited("abc", edit)).toBe("axc");
  expect(() => edited("ac", edit)).toThrow('"b" is not in it');
  expect(() => edited("abcb", edit)).toThrow("more than once");
});

test("a report tells a test that failed from one that noticed nothing and one that came to no answer", () => {
  const report = `<testsuites><testsuite name="a">
    <testcase name="one &amp; &quot;two&quot;" classname="a" time="0"><failure type="AssertionError" message="expect(1)&#10;Expected: 2">x</failure></testcase>
    <testcase name="cut" classname="a"><failure type="ReferenceError" message="x is not defined" /></testcase>
    <testcase name="late" classname="a"><failure type="TimeoutError" message="test timed out" /></testcase>
    <testcase name="good" classname="a" time="0" />
    <testcase name="other" classname="a" time="0"><skipped /></testcase>
  </testsuite></testsuites>`;
  expect(casesOf(report).map(({ outcome }) => outcome)).toEqual(["failed", "failed", "failed", "passed", "skipped"]);
  const verdicts = ['one & "two"', "cut", "late", "good", "other", "nobody"].map((name) => verdictOn(report, name).verdict);
  expect(verdicts).toEqual(["killed", "broken", "broken", "survived", "broken", "broken"]);
  expect(verdictOn(null, "good").verdict).toBe("broken");
});
