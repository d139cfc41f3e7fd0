/**
 * Generated lines at the template miner: whatever they are, each gets a template that it fits, what was counted adds up,
 * nothing of a line that came once is shown but words that logs are made of, and a start anew knows all of them.
 */

import type Sqlite from "better-sqlite3";
import fc from "fast-check";
import { openInRam } from "../../wire/database.ts";
import { memory_file } from "../store/migrations.ts";
import { fill, rawLine } from "./pattern.ts";
import { Words } from "./scan/words.ts";
import { shown } from "./shown.ts";
import { takeApart } from "./take-apart.ts";
import { Templates } from "./templates.ts";
import { inVocabulary } from "./vocabulary.ts";

const pieces = [
  ...'Failed password for root from 192.0.2.1 port 22 ssh2|usb 1-1: new|nginx[12]: "GET / HTTP/1.1" 200|uid=0 euid=|Nov 28 10:11:12'.split(
    /[ |]/,
  ),
  ..."2026-11-28T10:11:12Z|::1|fe80::1%eth0|52:54:00:12:34:56|/var/log/x|https://a.example.com/|a@b|0x1f|12ms|3.5MiB|1.2.3-4|a.b.c.service".split(
    "|",
  ),
  ..."= a= \" ' ` \\ [ ] ( ) { } :: 1. / 0x @ % - + . , ; : _ ~".split(" "),
  "\u0001",
  "\u0015",
  "\u001b[31m",
  "\u001b]0;t\u0007",
  "\0",
  "\n",
  "\t",
  "\ud800",
  "\udc00",
  "\u202e",
  "\u00e9",
  "\u{1f600}",
  "  ",
  '{"msg":"x","n":1}',
];
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...pieces) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 10 }) },
  fc.nat().map(String),
  fc.constantFrom("x", "0", "a=", '"', " ").chain((one) => fc.nat(6000).map((times) => one.repeat(times))),
);
const text = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.array(piece, { maxLength: 20 }), fc.constantFrom("", " ")).map(([some, between]) => some.join(between)),
  },
  fc.json(),
);
const line = fc.record({
  source: fc.constantFrom("a", "b", "c"),
  time_ms: fc.oneof(fc.nat(10 ** 7), fc.double({ min: 0, max: 4e12, noNaN: true })),
  text,
});

/** The database is begun anew now and then: each case is checked against all that it holds. */
const cases_of_one_database = 200;

/** @param seed makes the same cases again */
export function fuzzTemplates(cases: number, seed = Date.now() & 0x7fffffff): void {
  const words = new Words();
  let db: Sqlite.Database | null = null;
  let templates: Templates | null = null;
  let counted = 0;
  let left = 0;
  const holds = (lines: { source: string; time_ms: number; text: string }[]): void => {
    if (db === null || templates === null || left === 0) {
      db?.close();
      db = openInRam(memory_file);
      templates = new Templates(db);
      counted = 0;
      left = cases_of_one_database;
    }
    left -= 1;
    const miner = templates;
    const found: [id: number, text: string][] = [];
    const mine = db.transaction(() =>
      miner.take(lines, ({ template }, values) => {
        const given = lines[found.length]?.text ?? "";
        const filled = fill(template.pattern, values());
        takeApart(given, words);
        if (filled !== rawLine(words)) throw new Error(`"${filled}" came back instead of "${rawLine(words)}"`);
        found.push([template.id, given]);
      }),
    );
    mine.immediate();
    counted += lines.length;
    const sum = db.prepare<[], { lines: number }>("SELECT sum(lines) AS lines FROM templates WHERE merged_into IS NULL").get()?.lines;
    if (sum !== counted) throw new Error(`${counted} lines were taken, and ${sum} are counted`);
    for (const [, given] of found) onlyKnownWords(given, words);
  };
  fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), holds), { numRuns: cases, seed });
}

function onlyKnownWords(given: string, words: Words): void {
  takeApart(given, words);
  const view = shown(words.masked.slice(0, words.count), { lines: 1, minutes: 1 });
  // what is too long ends anywhere
  const rest = view.replace(/<[a-z0-9]+>|\S*…$/g, " ");
  for (const word of rest.split(/[^\p{L}\p{N}]+/u)) {
    if (word !== "" && !inVocabulary(word)) throw new Error(`"${word}" of a line that came once is shown: "${view}"`);
  }
}
