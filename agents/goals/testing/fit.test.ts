/** Holds the forms of goals in the image against the tools' own schemas. */

import { expect, test } from "bun:test";
import { testCatalog } from "../../../tools/testing/catalog.ts";
import { loadPatterns, patternWay } from "../known.ts";
import { bundled_patterns } from "../patterns/index.ts";

const { loaded, refused } = loadPatterns(bundled_patterns);
const goalOf = (text: string) => ({ body: { text, taint: [] } });

test("every form in the image loads, and the calls that its examples lead to fit their tools", () => {
  expect(refused).toEqual([]);
  expect(loaded.map(({ name }) => name)).toEqual(Object.keys(bundled_patterns).map((file) => file.replace(/\.yaml$/, "")));
  const tools = new Map(testCatalog().map((tool) => [tool.name, tool]));
  for (const { name, examples } of loaded)
    for (const words of examples.fits) {
      const found = patternWay(goalOf(words), loaded);
      expect(found?.from).toBe(`the pattern ${name}`);
      for (const { tool, arguments: args } of [...(found?.way.steps ?? []), ...(found?.way.check ? [found.way.check] : [])]) {
        const parsed = tools.get(tool ?? "")?.input.safeParse(args);
        expect(parsed?.success, `${words}: ${tool} ${JSON.stringify(args)}: ${parsed?.error}`).toBe(true);
      }
    }
});

test("names keep their case, numbers are numbers, and what is not meant is not made of other words", () => {
  const way = patternWay(goalOf("Serve  /srv/Shop on port 8080"), loaded)?.way;
  expect(way?.steps.map(({ arguments: args }) => args)).toMatchObject([
    { path: "/srv/Shop" },
    { argv: ["/usr/bin/aios", "serve-files", "/srv/Shop", "8080"], ports: [{ port: 8080 }] },
    { port: 8080, owner: "serve-8080" },
  ]);
  for (const words of [
    "serve /srv/../etc on port 80",
    "serve /srv/a;b on port 80",
    "serve /srv on port 080",
    "serve /srv on port 80 {port}",
  ])
    expect(patternWay(goalOf(words), loaded)).toBeNull();
});

test("a form with a place for nothing, or that does not keep to its examples, is refused", () => {
  const good = {
    ...{ name: "one", does: "x", text: "do (?<it>[a-z]+)", keep: false },
    steps: [{ key: "a", title: "a", tool: "make.one", arguments: { it: "{it}" }, needs: [] }],
    check: { tool: "look.at", arguments: {}, expect: {}, every_ms: 1000 },
    examples: { fits: ["do this"], does_not: ["do that thing"] },
  };
  const why = (change: object): string => loadPatterns({ "one.yaml": { ...good, ...change } }).refused.join();
  expect(why({})).toBe("");
  expect(why({ steps: [{ ...good.steps[0], arguments: { it: "{that}" } }] })).toContain('there is no parameter "that"; there are it');
  expect(why({ examples: { fits: ["this"], does_not: ["x"] } })).toContain('it has to fit "this", and does not');
  expect(why({ examples: { fits: ["do this"], does_not: ["Do  that"] } })).toContain('it must not fit "Do  that", and does');
});
