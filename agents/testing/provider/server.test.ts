/** What the provider of the tests refuses; what it answers is in the tests of the model port. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readScript } from "./script.ts";
import { startProvider, type TestProvider } from "./server.ts";

const key = "sk-of-the-test";
let server: TestProvider;
beforeAll(async () => {
  server = await startProvider({
    script: { conversations: [{ when: "disk", turns: [{ expect: { text: "full" }, say: [{ text: "Yes." }] }] }] },
    key,
  });
});
afterAll(() => server.close());
beforeEach(() => void server.problems.splice(0));

const cached = { cache_control: { type: "ephemeral" } };
const user = (text: string, more: object = {}) => ({ role: "user", content: [{ type: "text", text, ...more }] });
const claude = (more: object = {}) => ({ model: "m", max_tokens: 9, stream: true, messages: [user("Is the disk full?")], ...more });
const gpt = (more: object = {}) => ({
  model: "m",
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: "user", content: "Is the disk full?" }],
  ...more,
});

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const all = { "content-type": "application/json", authorization: `Bearer ${key}`, "anthropic-version": "2026-10-21", ...headers };
  const response = await fetch(server.anthropic_url + path, { method: "POST", headers: all, body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
}

test("a right request is answered, in named events or in chunks", async () => {
  const anthropic = await post("/v1/messages", claude());
  expect(anthropic.text.match(/^event: .*/gm)?.map((line) => line.slice(7))).toEqual([
    ...["message_start", "ping", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"],
  ]);
  const openai = await post("/v1/chat/completions", gpt());
  expect(openai.text).toEndWith("data: [DONE]\n\n");
  expect(openai.text).toContain('"object":"chat.completion.chunk"');
  expect(server.problems).toEqual([]);
});

const tool_use = { role: "assistant", content: [{ type: "tool_use", id: "a", name: "fs_read", input: {} }] };
const result = (id: string) => ({ type: "tool_result", tool_use_id: id, content: "x" });
const disk = user("Is the disk full?");
test.each([
  ["roles that do not alternate", { messages: [disk, disk] }],
  ["an answer first", { messages: [tool_use] }],
  ["a call without its result", { messages: [disk, tool_use, user("go on")] }],
  ["a result without its call", { messages: [{ role: "user", content: [result("b")] }] }],
  ["a result after text", { messages: [disk, tool_use, { role: "user", content: [{ type: "text", text: "x" }, result("a")] }] }],
  ["five breakpoints", { system: Array(5).fill({ type: "text", text: "x", ...cached }) }],
  ["a temperature", { temperature: 0 }],
  ["a forced tool", { tool_choice: { type: "any" } }],
  ["empty text", { messages: [user("")] }],
  ["a tool by our name", { tools: [{ name: "fs.read", description: "", input_schema: { type: "object" } }] }],
  ["no most", { max_tokens: 0 }],
  ["an open schema", { output_config: { format: { type: "json_schema", schema: { type: "object" } } } }],
])("the Messages API refuses %s", async (_what, more) => {
  const { status, text } = await post("/v1/messages", claude(more));
  expect(status).toBe(400);
  expect(JSON.parse(text)).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  expect(server.problems.length).toBe(1);
});

const call = {
  role: "assistant",
  content: "",
  tool_calls: [{ id: "a", type: "function", function: { name: "fs_read", arguments: "{}" } }],
};
test.each([
  ["a call without its result", { messages: [{ role: "user", content: "disk" }, call, { role: "user", content: "go on" }] }],
  ["a result without its call", { messages: [{ role: "tool", tool_call_id: "a", content: "x" }] }],
  ["a choice without tools", { tool_choice: "auto" }],
  ["no usage", { stream_options: {} }],
  ["something unknown", { mood: "good" }],
])("chat completions refuse %s", async (_what, more) => {
  const { status, text } = await post("/v1/chat/completions", gpt(more));
  expect(status).toBe(400);
  expect(JSON.parse(text)).toMatchObject({ error: { type: "invalid_request_error" } });
  expect(server.problems.length).toBe(1);
});

test("a wrong key, no version, no such path, what no conversation expects", async () => {
  expect((await post("/v1/messages", claude(), { authorization: "Bearer no" })).status).toBe(401);
  expect((await post("/v1/chat/completions", gpt(), { authorization: "" })).status).toBe(401);
  expect(server.problems).toEqual([]); // tests of keys want that
  expect((await post("/v1/messages", claude(), { "anthropic-version": "2023-06-01" })).status).toBe(400);
  expect((await post("/v2/messages", claude())).status).toBe(404);
  expect((await post("/v1/messages", claude({ messages: [user("Hello?")] }))).text).toContain("no conversation");
  expect((await post("/v1/messages", claude({ messages: [user("Is the disk empty?")] }))).text).toContain(
    "is not in the last user message",
  );
  expect(server.problems.length).toBe(4);
  expect(JSON.stringify(server.requests)).not.toContain(key);
});

test("what a group of `match` found is said", async () => {
  const other = await startProvider({
    script: {
      conversations: [
        {
          match: "service (?<name>\\S+) is dead",
          turns: [
            {
              expect: { text: "{{name}}" },
              say: [{ text: "{{name}}, {{other}}" }, { tool: { name: "service.restart", input: { name: "{{name}}" } } }],
            },
          ],
        },
      ],
    },
    key,
  });
  const body = claude({ messages: [user('The service w"b\\n is dead.')] });
  const headers = { authorization: `Bearer ${key}`, "anthropic-version": "2026-10-21" };
  const answer = await fetch(`${other.anthropic_url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) });
  const deltas = [...(await answer.text()).matchAll(/"(?:text|partial_json)":("(?:[^"\\]|\\.)*")/g)].map(([, json]) =>
    JSON.parse(json ?? ""),
  );
  expect(deltas.join("")).toBe(`w"b\\n, {{other}}${JSON.stringify({ name: 'w"b\\n' })}`);
  expect(other.problems).toEqual([]);
  await other.close();
});

test("conversations are read from a file; what is wrong with it is said by line", () => {
  const path = join(mkdtempSync(join(tmpdir(), "script-")), "one.yaml");
  writeFileSync(path, "conversations:\n  - when: disk\n    turns:\n      - say: [{ tool: { name: fs.usage, input: { path: /var } } }]\n");
  expect(readScript(path).conversations[0]?.turns[0]?.say).toEqual([{ tool: { name: "fs.usage", input: { path: "/var" } } }]);
  writeFileSync(path, "conversations:\n  - when: disk\n    turn: []\n");
  expect(() => readScript(path)).toThrow("line 3");
});
