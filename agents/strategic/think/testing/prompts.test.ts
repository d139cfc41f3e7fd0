/** The strategic prompts with their cases: what models read, and what of their answers is taken, against the real tools' schemas. */

import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { testDescriptions } from "../../../../tools/testing/catalog.ts";
import { goalQuestion } from "../../../goals/planning.ts";
import { injectionCases } from "../../../testing/injection.ts";
import { incidentQuestion } from "../incidents.ts";
import type { Question } from "../investigate.ts";
import { retrieved } from "../looks.ts";
import told from "../prompts/cases.yaml";
import { reviewQuestion } from "../reviews.ts";

const tools = testDescriptions();
const prompts = ["root-cause", "plan-goal", "review-call"] as const;
const cases = z
  .array(z.strictObject({ prompt: z.enum(prompts), name: z.string(), answer: z.unknown(), refused: z.string().optional() }))
  .parse(told);

/** Each question with this text wherever text of others comes in. */
const asking: Readonly<Record<(typeof prompts)[number], (text: string) => Question>> = {
  "root-cause": (text) =>
    incidentQuestion(
      {
        incident: { id: "0badcafe-incident-1", body: { key: "service-unwell web", summary: text, severity: "error" } },
        event: {
          ...{ id: "0badcafe-reactive-1", time_ms: 0, boot_ms: 0, source: "reactive", severity: "error", kind: "alarm.changed" },
          facts: { alarm: "service-unwell", subject: text, raised: true, value: 1, limit: 1, stood_ms: 0, detail: text },
          untrusted: text,
        },
      },
      [],
    ),
  "plan-goal": (text) => goalQuestion({ id: "0badcafe-goal-1", body: { text, keep: false, taint: ["tool:fs.read"] } }, text),
  "review-call": (text) =>
    reviewQuestion({
      ...{ call: "0badcafe-call-1", principal: "tier:tactical", tool: "fs.remove", risk: "reversible", tainted: [""] },
      ...{ arguments: { path: text }, preview: [text], final: [text] },
      resources: [{ kind: "path", id: text, access: "delete", attributes: {} }],
      reason: { text, event: null, decision: null, alternatives: [text], confidence: null, model: null, cost_usd: 0 },
    }),
};

describe.each([...prompts])("%s", (prompt) => {
  test("it has cases that are usable and cases that are not, and names only tools and programs that there are", () => {
    const own = cases.filter((one) => one.prompt === prompt);
    expect([own.some(({ refused }) => refused === undefined), own.some(({ refused }) => refused !== undefined)]).toEqual([true, true]);
    const families = new Set(tools.map(({ _meta }) => _meta.family));
    const named = [...asking[prompt]("x").system.matchAll(/\b([a-z]{2,12})\.([a-z_]+)\b/g)].filter(([, family = ""]) =>
      families.has(family),
    );
    for (const [name] of named) expect(tools.map((tool) => tool.name)).toContain(name);
  });

  test("it sends to templates before lines, and whatever is asked both are offered in that order", () => {
    const { system, matter } = asking[prompt]("the log of the disk is full of files");
    const as_told = ["memory.templates", "service.logs", "sys.logs", "fs.read"];
    const places = as_told.map((name) => system.indexOf(name.replace(".", "_")));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    for (const about of [matter, "", "service.logs sys.logs fs.read lines of the log"]) {
      const offered = retrieved(tools, about).map(({ name }) => name);
      expect(offered[0]).toBe("memory.templates");
      expect(offered.filter((name) => as_told.includes(name))).toEqual(as_told);
    }
  });

  test.each(cases.filter((one) => one.prompt === prompt).map((one) => [one.name, one] as const))("%s", (_, { answer, refused }) => {
    const said = asking[prompt]("harmless").refuse(answer, tools);
    if (refused === undefined) expect(said).toBeNull();
    else expect(said).toContain(refused);
  });

  test("text that tries to make the system act stays data: what stands around it is the same, and the system's words do not change", () => {
    const outside = ({ brief }: Question): string => brief.replace(/"(?:[^"\\]|\\.)*"/g, '""');
    const harmless = asking[prompt]("harmless");
    for (const { text, subject } of injectionCases()) {
      const question = asking[prompt](text ?? subject);
      expect(question.system).toBe(harmless.system);
      expect(outside(question)).toBe(outside(harmless));
      expect(question.brief).toMatch(/^[\x20-\x7e\n]*$/);
      // whoever is asked has heard it: what he proposes is marked
      expect(question.outside.length).toBeGreaterThan(0);
    }
  });
});
