import { expect, test } from "bun:test";
import fc from "fast-check";
import { partsOf, terms_max, termsOf } from "./question.ts";
import { hashingEmbedder } from "./testing/hashing-embedder.ts";
import { note, noteId, remembering } from "./testing/memories.ts";

test("words that say nothing are dropped, unless there are no others", () => {
  expect(termsOf("What happened to nginx after the update?")).toEqual(["nginx", "update"]);
  expect(termsOf("what is it")).toEqual(["what", "is", "it"]);
  expect(termsOf("  …?! ")).toEqual([]);
});

test("names with signs between letters stay one term", () => {
  expect(termsOf("nginx.service on /dev/vda1, 10.0.0.1:443 (net.http)")).toEqual(["nginx.service", "dev/vda1", "10.0.0.1:443", "net.http"]);
  expect(partsOf("10.0.0.1:443")).toEqual(["10", "0", "0", "1", "443"]);
});

test("a term never holds what FTS5 would read as syntax, and there are never too many", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300, unit: "grapheme" }), (question) => {
      const terms = termsOf(question);
      expect(terms.length).toBeLessThanOrEqual(terms_max);
      for (const term of terms) expect(term).toMatch(/^[\p{L}\p{N}._:/@-]+$/u);
    }),
  );
});

const attacks = [
  `"`,
  `'`,
  `nginx" OR "sshd`,
  `nginx') OR 1=1; DROP TABLE memories; --`,
  "NEAR(nginx sshd, 2)",
  "text : nginx",
  "{text} : nginx",
  "nginx AND NOT sshd",
  "nginx*",
  "^nginx",
  "-nginx",
  "nginx + sshd",
  "AND",
  "(((",
  "nginx\u0000sshd",
  "\u0000",
  "%_%",
  "\ud800",
  "ＮＧＩＮＸ nginx ñginx n\u0303ginx",
  "x".repeat(2000),
  "nginx ".repeat(333),
  Array.from({ length: 300 }, (_, n) => `w${n}`).join(" "),
  "😀 nginx 日本語",
];

test("questions that try to be more than a question are answered as one", async () => {
  const { remember, search, memory } = remembering(hashingEmbedder());
  await remember(note(1, "nginx was restarted"), note(2, "sshd was restarted"));
  for (const query of attacks) {
    for (const mode of ["hybrid", "words", "meaning"] as const) {
      const { found } = await search(query, { mode });
      expect(found.length).toBeLessThanOrEqual(2);
    }
  }
  const values = ["' OR 1=1 --", 'nginx"', "%"];
  for (const value of values) {
    expect((await search("restarted", { filter: { services: [value], tools: [value] } })).found).toEqual([]);
    expect((await search("restarted", { filter: { sources: [value] } })).found).toEqual([]);
  }
  expect(await memory.stats({})).toMatchObject({ memories: 2 });
  expect((await search("nginx AND NOT sshd", { mode: "words" })).found.map((one) => one.memory.id).toSorted()).toEqual([
    noteId(1),
    noteId(2),
  ]);
}, 600_000);

test("any question whatever is answered", async () => {
  const { remember, search } = remembering(hashingEmbedder());
  await remember(note(1, "nginx was restarted"), note(2, "sshd was restarted"));
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1, maxLength: 200, unit: "binary" }), async (query) => {
      await search(query);
    }),
    { numRuns: 100 },
  );
}, 600_000);
