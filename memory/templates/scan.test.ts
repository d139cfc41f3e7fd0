import { expect, test } from "bun:test";
import fc from "fast-check";
import { kindNamed } from "./kinds.ts";
import { limits } from "./limits.ts";
import { fill, rawLine, valuesOf } from "./pattern.ts";
import { Words } from "./scan/words.ts";
import { takeApart } from "./take-apart.ts";

const words = new Words();

/** The line with its values in angle brackets. */
function taken(text: string): string {
  takeApart(text, words);
  const line = words.masked.slice(0, words.count).join(" ");
  return line.replace(/\p{Cc}/gu, (mark) => `<${kindNamed(mark.charCodeAt(0))}>`);
}

function values(text: string): string[] {
  takeApart(text, words);
  return valuesOf(words.masked.slice(0, words.count), words).map((value) => value.text);
}

const lines: readonly [string, string][] = [
  ["Failed password for bob from 203.0.113.9 port 22 ssh2", "Failed password for bob from <ip> port <number> ssh2"],
  ["peer 192.0.2.1:8080, net 10.0.0.0/8; 1.2.3.4.5 and 300.1.1.1", "peer <ip>, net <ip>; <version> and <version>"],
  ["from fe80::1%eth0, 2001:db8::/32, ::1 and [::ffff:192.0.2.1]:80", "from <ip>, <ip>, <ip> and [<ip>]:<number>"],
  ["dead: beef face:off add", "dead: beef face:off add"],
  ["mac 52:54:00:12:34:56 MAC=52:54:00:12:34:56:52:54:00:12:34:57:08:00", "mac <mac> MAC= <mac>"],
  ["id 123e4567-e89b-12d3-a456-426614174000 at 0xdeadbeef 0xg1", "id <uuid> at <hex> 0xg1"],
  ["sha d41d8cd98f00b204e9800998ecf8427e short 8f3a2b1c9", "sha <hash> short <hex>"],
  ["took 12ms, 1.5s 1h30m 2m0.5s 3x 40 seconds", "took <duration>, <duration> <duration> <duration> 3x <number> seconds"],
  ["4KiB of 3.5MiB 80% -5 +3.2 1e-05 5,000", "<size> of <size> <percent> <number> <number> <number> <number>,<number>"],
  ["2026-11-28T10:11:12.123Z x 2026-11-28 10:11:12,5 +0100 y 10:11:12", "<time> x <time> y <time>"],
  ["Nov  8 10:11:12 host sshd[123]: Sat Nov 28 10:11:12 2026 end", "<time> host sshd[<pid>]: <time> end"],
  ["[28/Nov/2026:10:11:12 +0000] Sat, 28 Nov 2026 10:11:12 GMT 2026/11/28", "[<time>] <time> <time>"],
  ["[    1.234567] usb 1-1: new", "[<time>] usb <number>-<number>: new"],
  ["Maybe Mon is a word, Mar 5 too", "Maybe Mon is a word, Mar <number> too"],
  ["open /etc/passwd: ./x ../y ~/z and/or / done", "open <path>: <path> <path> <path> and/or <path> done"],
  ["get https://a.example.com:8443/x?y=1, ok", "get <url>, ok"],
  ["host web1.example.com. and nginx.service, java.lang.Error", "host <host>. and <unit>, java.lang.Error"],
  ["mail bob@mail.example.com and git@host", "mail <account> and <account>"],
  ["say \"hello there\" and 'it' isn't \"unclosed", "say \"<quoted>\" and '<quoted>' isn't \"unclosed"],
  ['{"broken": "json", "n": 5', '{"broken": "<quoted>", "n": <number>'],
  ['{"level":"info","msg":"user in","n":5,"who":"a b"}', 'user in level= info n= <number> who= "<quoted>"'],
  ["uid=0 (euid=5) ruser= rhost=1.2.3.4 a==b =c", "uid= <number> (euid= <number>) ruser=  rhost= <ip> a= =b =c"],
  ["version 1.2.3-4+deb13u1 v1.2 8.14.1", "version <version> <version> <version>"],
  ['"GET /a/b?c=d HTTP/1.1" 200', '"GET <path> HTTP/<number>" <number>'],
  ["\u001b[31mred\u001b[0m \u001b]0;title\u0007text\u0000nul", "red text nul"],
  ["first\n  at second\nthird", "first <rest>"],
  ["", ""],
];
test.each(lines)("%p", (line, expected) => {
  expect(taken(line)).toBe(expected);
});

test("what hides in a line is gone: controls, direction marks, tags, broken surrogates", () => {
  takeApart("a\u202eb\u200bc\u{e0041}d\ud800e\u0001f", words);
  expect(rawLine(words)).toBe("a b c d\ufffde f");
});

test("a line cannot pretend to have a parameter", () => {
  expect(taken("a \u0002 b <number>")).toBe("a b <number>");
  expect(words.values_from[words.count]).toBe(0);
});

test("values come back whole, also those with spaces and those in quotes", () => {
  expect(values('[28/Nov/2026:10:11:12 +0000] "GET / x" "a \\" b" Nov  8 10:11:12')).toEqual([
    "28/Nov/2026:10:11:12 +0000",
    "/",
    'a \\" b',
    "Nov  8 10:11:12",
  ]);
});

test("long lines and lines of many words end in one value", () => {
  takeApart("x ".repeat(3000), words);
  expect(words.count).toBeLessThanOrEqual(limits.words_max + 1);
  takeApart(`${"k=v ".repeat(2000)}`, words);
  expect(words.count).toBeLessThanOrEqual(limits.words_max + 1);
  takeApart("y".repeat(100_000), words);
  expect(rawLine(words)).toBe("y".repeat(limits.line_chars_max));
});

/** Pieces of which lines are made that nobody would write. */
const hostile = fc.array(
  fc.oneof(
    fc.constantFrom(...lines.flatMap(([line]) => line.split(" "))),
    fc.constantFrom(
      "=",
      "a=",
      '"',
      "'",
      "\\",
      "[",
      "]",
      "::",
      "1.",
      "/",
      "0x",
      "@",
      "\u0001",
      "\u001b[",
      "\ud800",
      "\u00e9",
      "\n",
      "  ",
      "Nov 28 ",
      "{",
      "}",
    ),
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.nat().map(String),
  ),
  { maxLength: 30 },
);
const line = fc.tuple(hostile, fc.constantFrom("", " ")).map(([pieces, between]) => pieces.join(between));

test("the values put back into the pattern give the line as it was taken apart", () => {
  fc.assert(
    fc.property(line, (text) => {
      takeApart(text, words);
      const pattern = words.masked.slice(0, words.count);
      expect(fill(pattern, valuesOf(pattern, words))).toBe(rawLine(words));
      for (const word of pattern) expect(word).not.toContain(" ");
      expect(pattern.join(" ").split(" ")).toEqual(pattern);
    }),
    { numRuns: 2000 },
  );
});
