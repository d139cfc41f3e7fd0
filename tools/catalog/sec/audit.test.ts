import { afterAll, expect, test } from "bun:test";
import { auditIn, entryOf, newFolder, reason } from "../../audit/testing/records.ts";
import { callTool, testPlaces } from "../../testing/context.ts";
import { auditTool } from "./audit.ts";

const tests = testPlaces();
afterAll(() => tests.remove());
const audit = auditIn(newFolder());
const tool = auditTool(audit);
const context = () => tests.context({ principal: "tier:tactical" });

test("one's own calls unless others' are asked for, and what is asked is what the policies see", async () => {
  await audit.append(entryOf(1));
  await audit.append(entryOf(2, "outcome", { principal: "person:operator", reason: reason("the other's secret plan") }));
  const own = await callTool(tool, {}, context());
  expect(own.output.entries.map(({ principal }) => principal)).toEqual(["tier:tactical"]);
  expect((await callTool(tool, { principal: "*", text: "secret plan" }, context())).output.entries.map(({ seq }) => seq)).toEqual([2]);
  const resource = async (input: object) => (await tool.resolve(tool.input.parse(input), context())).resources;
  expect(await resource({})).toEqual([{ kind: "principal", id: "tier:tactical", access: "read", attributes: { own: true } }]);
  expect(await resource({ principal: "tier:tactical" })).toMatchObject([{ attributes: { own: true } }]);
  expect(await resource({ principal: "*" })).toEqual([{ kind: "principal", id: "*", access: "read", attributes: { own: false } }]);
  expect(await resource({ principal: "person:operator" })).toMatchObject([{ id: "person:operator", attributes: { own: false } }]);
  expect(await resource({ verify: true })).toEqual([{ kind: "system", id: "audit", access: "read", attributes: {} }]);
});

test("verify says whether the chain is whole", async () => {
  const { output } = await callTool(tool, { verify: true }, context());
  expect(output).toMatchObject({ entries: [], verdict: { whole: true, entries: 2, head: audit.head } });
});

test("an answer is bounded and pages reach everything", async () => {
  await Promise.all(Array.from({ length: 120 }, (_, n) => audit.append(entryOf(n + 3, "outcome", { body: { text: "x".repeat(5000) } }))));
  const seen: number[] = [];
  for (let before_seq: number | null = null, more = true; more; ) {
    const { output }: Awaited<ReturnType<typeof page>> = await page(before_seq);
    expect(JSON.stringify(output).length).toBeLessThan(64 * 1024);
    seen.push(...output.entries.map(({ seq }) => seq));
    before_seq = output.next_before_seq;
    more = before_seq !== null;
  }
  expect(seen).toEqual([...Array.from({ length: 120 }, (_, n) => 122 - n), 1]);
});
const page = (before_seq: number | null) => callTool(tool, { before_seq, limit: 100 }, context());

test("bad arguments", () => {
  for (const bad of [
    { limit: 0 },
    { limit: 101 },
    { principal: "root" },
    { call: "x" },
    { kind: "nothing" },
    { text: "x".repeat(201) },
    { more: 1 },
  ])
    expect(tool.input.safeParse(bad).success).toBe(false);
});
