import { expect, test } from "bun:test";
import fc from "fast-check";
import { seeded } from "../../wire/seeded.ts";
import { openDatabase } from "../store/open.ts";
import { diskFolder } from "../testing/folder.ts";
import { LogLines } from "../testing/log-lines.ts";
import { limits } from "./limits.ts";
import { fill, rawLine } from "./pattern.ts";
import { Words } from "./scan/words.ts";
import { takeApart } from "./take-apart.ts";
import { type Line, Templates } from "./templates.ts";

const start_ms = 1_790_000_000_000;

function opened(folder = diskFolder("templates")) {
  const { db } = openDatabase(folder);
  const templates = new Templates(db, () => 0);
  const take = (lines: readonly Line[]): number[] => {
    const ids: number[] = [];
    db.transaction(() => templates.take(lines, ({ template }) => void ids.push(template.id))).immediate();
    return ids;
  };
  const count = (sql: string): number => db.prepare<[], { n: number }>(sql).get()?.n ?? 0;
  return { db, folder, templates, take, count };
}

const lineOf = (text: string, at = 0, source = "test"): Line => ({ source, text, time_ms: start_ms + at });
const known = (count: number, seed = 5): Line[] =>
  new LogLines(seed).take(count).map(({ text, source }, n) => lineOf(text, n * 50, source));

/** How many lines are in a group that is exactly the group of those made from the same template. */
function accuracy(truth: readonly number[], found: readonly number[]): number {
  const sizes = (keys: readonly string[]): Map<string, number> =>
    keys.reduce((sizes, key) => sizes.set(key, (sizes.get(key) ?? 0) + 1), new Map<string, number>());
  const by_truth = sizes(truth.map(String));
  const by_found = sizes(found.map(String));
  const both = sizes(truth.map((one, n) => `${one} ${found[n]}`));
  const right = truth.filter((one, n) => {
    const size = both.get(`${one} ${found[n]}`);
    return size === by_truth.get(String(one)) && size === by_found.get(String(found[n]));
  });
  return right.length / truth.length;
}

test("lines of 77 known templates are told apart", () => {
  const made = new LogLines(3);
  const lines = made.take(6000);
  const ids = opened().take(lines.map(({ text, source }, n) => lineOf(text, n, source)));
  expect(made.templates).toBe(77);
  expect(
    accuracy(
      lines.map((line) => line.known),
      ids,
    ),
  ).toBeGreaterThan(0.95);
}, 600_000);

test("a later batch, and a start anew in the middle, give each line the template that it had", () => {
  const lines = known(3000);
  const one = opened();
  one.take(lines);
  const before = one.take(lines);
  one.db.close();
  const again = opened(one.folder);
  const rows = again.count("SELECT count(*) AS n FROM templates");
  expect(again.take(lines)).toEqual(before);
  expect(again.count("SELECT count(*) AS n FROM templates")).toBe(rows);
}, 600_000);

test("what was counted adds up, by template, source and hour", () => {
  const { take, count } = opened();
  const lines = known(2000);
  for (let at = 0; at < lines.length; at += 300) take(lines.slice(at, at + 300));
  expect(count("SELECT sum(lines) AS n FROM templates WHERE merged_into IS NULL")).toBe(2000);
  expect(count("SELECT sum(lines) AS n FROM template_sources")).toBe(2000);
  // hours that are long ago are added up by day
  expect(count("SELECT sum(lines) AS n FROM template_hours") + count("SELECT sum(lines) AS n FROM template_days")).toBe(2000);
});

test("a transaction that fails counts nothing, and its templates are not there", () => {
  const { db, templates, take, count } = opened();
  take([lineOf("disk sda is fine")]);
  const failing = db.transaction(() => {
    templates.take([lineOf("disk sda is fine"), lineOf("something else happened now")]);
    throw new Error("the disk is full");
  });
  expect(() => failing.immediate()).toThrow("full");
  templates.reload();
  expect(count("SELECT sum(lines) AS n FROM templates")).toBe(1);
  expect(take([lineOf("disk sda is fine"), lineOf("quite another line came here")])).toEqual([1, 2]);
});

test("whatever arrives: every line has a template that it fits, and the caps hold", () => {
  const random = seeded(11);
  const word = (): string =>
    Math.floor(random() * 36 ** 6)
      .toString(36)
      .replace(/\d/g, "x");
  const { take, templates, count } = opened();
  for (let batch = 0; batch < 20; batch += 1) {
    const lines = Array.from({ length: 500 }, () =>
      lineOf(Array.from({ length: 1 + Math.floor(random() * 12) }, word).join(" "), batch * 1000, word()),
    );
    take(lines);
  }
  const { total, held, nodes } = templates.counts;
  // one source after the other brings its share, the rest is counted together
  expect(held).toBeLessThanOrEqual(limits.tree_templates_max);
  expect(nodes).toBeLessThanOrEqual(limits.tree_templates_max * 8);
  expect(count("SELECT count(*) AS n FROM templates")).toBe(total);
  expect(count("SELECT count(DISTINCT source) AS n FROM template_sources")).toBeLessThanOrEqual(limits.sources_max + 1);
  expect(count("SELECT max(n) AS n FROM (SELECT count(*) AS n FROM template_sources GROUP BY template)")).toBeLessThanOrEqual(
    limits.template_sources_max + 1,
  );
}, 600_000);

test("one source that only makes noise brings so many templates and no more; other sources still bring theirs", () => {
  const random = seeded(12);
  const letters = (): string => Array.from({ length: 8 }, () => "abcdefghij"[Math.floor(random() * 10)]).join("");
  const { take, templates, count } = opened();
  const noise = Array.from({ length: 4000 }, () => lineOf(`${letters()} ${letters()} ${letters()}`, 0, "noisy"));
  take(noise);
  expect(templates.counts.total).toBeLessThanOrEqual(limits.new_burst + 1);
  expect(templates.unplaced).toBeGreaterThan(0);
  expect(count("SELECT sum(lines) AS n FROM templates WHERE merged_into IS NULL")).toBe(4000);
  const before = templates.counts.total;
  take([lineOf("a quiet service said this once", 0, "quiet")]);
  expect(templates.counts.total).toBe(before + 1);
}, 600_000);

test("a template that was pushed out of the tree is found again under its id", () => {
  const { take, templates, db } = opened();
  const [id] = take([lineOf("backup of volume home finished well")]);
  // other lines at the same leaf push it out: alike in the first words, different in the others
  const random = seeded(13);
  const letters = (): string => Array.from({ length: 8 }, () => "abcdefghij"[Math.floor(random() * 10)]).join("");
  take(
    Array.from({ length: limits.leaf_templates_max + 20 }, () => lineOf(`backup of ${letters()} ${letters()} ${letters()} ${letters()}`)),
  );
  expect(templates.counts.held).toBeLessThan(templates.counts.total);
  expect(take([lineOf("backup of volume home finished well")])).toEqual([id ?? 0]);
  expect(db.prepare("SELECT lines FROM templates WHERE id = ?").get(id)).toEqual({ lines: 2 });
});

test("two templates that have become the same go on as the older one; both ids stay known", () => {
  const { take, db, count } = opened();
  const said = (v1: string, v2: string, v3: string, v4: string, v5: string): Line =>
    lineOf(`job alpha ran here well ${v1} ${v2} ${v3} from=${v4} to=${v5}`);
  const [older] = take([said("xa", "xa", "xa", "xa", "xa")]);
  const [younger] = take([said("ya", "ya", "ya", "ya", "ya")]);
  expect(younger).not.toBe(older);
  // the younger one becomes as vague as it can, then the older one
  const widened = [said("ya", "ya", "za", "ya", "ya"), said("ya", "za", "za", "ya", "ya"), said("za", "za", "za", "ya", "ya")];
  expect(new Set(take([...widened, said("za", "za", "za", "za", "ya"), said("za", "za", "za", "za", "za")]))).toEqual(
    new Set([younger ?? 0]),
  );
  take([said("xa", "xa", "wa", "xa", "xa"), said("xa", "wa", "wa", "xa", "xa"), said("wa", "wa", "wa", "xa", "xa")]);
  expect(take([said("wa", "wa", "wa", "wa", "wa"), said("ya", "ya", "ya", "ya", "ya")])).toEqual([older ?? 0, older ?? 0]);
  expect(db.prepare("SELECT id, merged_into FROM templates WHERE merged_into IS NOT NULL").all()).toEqual([
    { id: younger, merged_into: older },
  ]);
  expect(count("SELECT sum(lines) AS n FROM templates WHERE merged_into IS NULL")).toBe(12);
  expect(count("SELECT sum(lines) AS n FROM template_sources")).toBe(12);
});

test("whatever the order of lines, none is lost and each fits the template that it was given", () => {
  const lines = known(400, 21);
  const words = new Words();
  fc.assert(
    fc.property(fc.shuffledSubarray(lines, { minLength: 200 }), (shuffled) => {
      const { db, templates } = opened();
      db.transaction(() =>
        templates.take(shuffled, ({ template }, values) => {
          const filled = fill(template.pattern, values());
          const at = seen.length;
          seen.push(filled);
          takeApart(shuffled[at]?.text ?? "", words);
          expect(filled).toBe(rawLine(words));
        }),
      ).immediate();
      expect(seen).toHaveLength(shuffled.length);
      seen.length = 0;
      db.close();
    }),
    { numRuns: 15 },
  );
}, 600_000);
const seen: string[] = [];
