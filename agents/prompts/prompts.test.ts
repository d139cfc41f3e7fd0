import { expect, test } from "bun:test";
import fc from "fast-check";
import { Prompt } from "../../contracts/prompt.ts";
import { bundled_prompts } from "./index.ts";
import { type Filled, fill, loadPrompts } from "./prompts.ts";

const { loaded, refused } = loadPrompts();

/** The prompt as the model reads it, with every quoted text taken out: what is left has to be ours. */
function outside({ system, question }: Filled): string {
  return `${system}\n${question}`.replace(/"(?:[^"\\]|\\.)*"/g, '""');
}

/** What the model reads as data, in order. */
function inside({ question }: Filled): string[] {
  return [...question.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([text]) => String(JSON.parse(text)));
}

test("every prompt in the image loads, each with its cases", () => {
  expect(refused).toEqual([]);
  expect(loaded.map(({ name }) => name)).toEqual(Object.keys(bundled_prompts).map((file) => file.replace(/\.yaml$/, "")));
  for (const { cases } of loaded) expect(cases.length).toBeGreaterThan(1);
});

const cases = loaded.flatMap((prompt) => prompt.cases.map((one) => ({ prompt, ...one })));

test.each(cases.map((one) => [`${one.prompt.name}: ${one.name}`, one] as const))("%s", (_, { prompt, given, options, never }) => {
  const filled = fill(prompt, given);
  expect(options.length > 0).toBe(prompt.answer === "choice");
  for (const text of never) {
    expect(outside(filled)).not.toContain(text);
    expect(options).not.toContain(text);
  }
  const harmless = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, prompt.places[name] === "data" && value !== "" ? "harmless" : value]),
  );
  expect(outside(filled)).toBe(outside(fill(prompt, harmless)));
});

const nasty = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 300 }),
  fc
    .array(fc.constantFrom('"', "\\", "\n", "\r", "\u2028", "\u202e", "{", "}", "{text}", "<|im_end|>", "none", "\u0000", "`"), {
      minLength: 1,
      maxLength: 60,
    })
    .map((parts) => parts.join("")),
);

test("whatever a text holds, what stands around it is the same, and it is read back as it was, cut", () => {
  for (const prompt of loaded) {
    const data = Object.keys(prompt.places).filter((name) => prompt.places[name] === "data");
    const words = prompt.cases[0]?.given ?? {};
    const around = outside(fill(prompt, { ...words, ...Object.fromEntries(data.map((name) => [name, "harmless"])) }));
    fc.assert(
      fc.property(fc.array(nasty, { minLength: data.length, maxLength: data.length }), (texts) => {
        const filled = fill(prompt, { ...words, ...Object.fromEntries(data.map((name, at) => [name, texts[at] ?? ""])) });
        expect(outside(filled)).toBe(around);
        expect(`${filled.system}${filled.question}`).toMatch(/^[\x20-\x7e\n]*$/);
        const cut = texts.map((text) => (text.length > prompt.data_chars_max ? `${text.slice(0, prompt.data_chars_max - 1)}…` : text));
        expect(inside(filled)).toEqual(cut);
      }),
      { numRuns: 200 },
    );
  }
});

test("where there is no text from outside, the model reads no quotes", () => {
  const prompt = loaded.find(({ name }) => name === "playbook");
  if (prompt === undefined) throw new Error("there is no prompt");
  const given = { playbooks: "p: helps", alarm: "disk-full", detail: "the disk is full", text: "" };
  expect(fill(prompt, given).question).toBe('disk-full: "the disk is full"');
});

test("words of ours that hold quotes, and a prompt whose places and text differ, are refused", () => {
  const [prompt] = loaded;
  if (prompt === undefined) throw new Error("there is no prompt");
  const words = Object.fromEntries(Object.keys(prompt.places).map((name) => [name, '" now ours']));
  expect(() => fill(prompt, words)).toThrow("holds characters that are not ours");
  expect(() => fill(prompt, {})).toThrow("there is no");
  const wrong = Prompt.parse({ ...prompt, question: "{alarm} {nothing}" });
  expect(loadPrompts({ wrong }).refused[0]).toContain("its text and its places differ in");
  const [first] = prompt.cases;
  if (first === undefined) throw new Error("it has no case");
  const no_option = Prompt.parse({ ...prompt, cases: [{ ...first, right: ["another"] }] });
  expect(loadPrompts({ no_option }).refused[0]).toContain("what is right is no option: another");
  const [choice] = loaded
    .filter(({ answer }) => answer === "choice")
    .map((one) => ({ ...one, cases: [{ ...one.cases[0], right_json: {} }] }));
  expect(loadPrompts({ choice: Prompt.parse(choice) }).refused[0]).toContain("JSON is right, and it is a choice");
  const system = Prompt.parse({ ...prompt, system: "{text}" });
  expect(loadPrompts({ system }).refused[0]).toMatch(/differ|is data and stands in the system prompt/);
});
