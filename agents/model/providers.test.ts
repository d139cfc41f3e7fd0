/** Both back ends on the real SDKs against a server that speaks the providers' protocols: one try each. */

import { describe, expect, test } from "bun:test";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import fc from "fast-check";
import { Reply } from "../../contracts/model/chat.ts";
import { anthropicProvider } from "./anthropic/provider.ts";
import { openaiProvider } from "./openai/provider.ts";
import { ChatError } from "./port.ts";
import { asks, attempt, failing, kinds, providerFor, says, stage, test_key } from "./testing/providers.ts";

/** Events that begin well and have something wrong with them. */
const pieces_of_streams = [
  '{"type":"message_start","message":{"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}',
  '{"type":"message_start","message":null}',
  '{"type":"message_start","message":{"model":7,"usage":{"input_tokens":-1}}}',
  '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
  '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":7,"name":null}}',
  '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}',
  '{"type":"content_block_delta","index":9,"delta":null}',
  '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}',
  '{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":null}',
  '{"type":"message_stop"}',
  '{"type":"error","error":{"type":"overloaded_error","message":"x"}}',
  '{"model":"m","choices":[{"delta":{"content":"a"},"finish_reason":null}]}',
  '{"model":"m","choices":[{"delta":{"content":7},"finish_reason":"stop"}]}',
  '{"model":"m","choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"x","arguments":"{"}}]},"finish_reason":"tool_calls"}]}',
  '{"model":"m","choices":[{"delta":{"tool_calls":[null]},"finish_reason":"tool_calls"}]}',
  '{"choices":null}',
  '{"choices":[],"usage":{"prompt_tokens":"many"}}',
  '{"error":{"message":"x"}}',
];

const tools = [
  {
    name: "fs.usage",
    description: "How full a file system is.",
    input: { type: "object", properties: { path: { type: "string" } }, required: ["path"], additionalProperties: false },
  },
];

describe.each(kinds)("%s", (kind) => {
  test("text is streamed, and the tokens are counted", async () => {
    await using at = await stage(kind, says("The disk is full of old logs."));
    const heard: string[] = [];
    const reply = await attempt(at.provider, asks("Why?"), undefined, (delta) => heard.push(delta));
    expect(reply.parts).toEqual([{ type: "text", text: "The disk is full of old logs." }]);
    expect(reply).toMatchObject({ model: `${kind}-test`, stop: "end" });
    expect(heard.length).toBeGreaterThan(2);
    expect(heard.join("")).toBe("The disk is full of old logs.");
    expect(reply.tokens?.output_tokens).toBeGreaterThan(0);
    expect(at.server.problems).toEqual([]);
  });

  test("a tool is called, its result goes back, and reasoning with it", async () => {
    const thinking = kind === "anthropic" ? [{ thinking: "The path is /var." }] : [];
    await using at = await stage(kind, {
      conversations: [
        {
          turns: [
            {
              expect: { tool: "fs.usage" },
              say: [...thinking, { text: "I look." }, { tool: { name: "fs.usage", input: { path: "/var" } } }],
            },
            { expect: { tool_result: "97 %" }, say: [{ text: "It is nearly full." }] },
          ],
        },
      ],
    });
    const request = asks("Is /var full?", { tools });
    const first = await attempt(at.provider, request);
    expect(first.stop).toBe("tool-use");
    const call = first.parts.find((part) => part.type === "tool-use");
    expect(call).toMatchObject({ name: "fs.usage", input: { path: "/var" } });
    if (call?.type !== "tool-use") throw new Error("there is no call");
    const second = await attempt(at.provider, {
      ...request,
      messages: [
        ...request.messages,
        { role: "assistant", parts: [...first.parts] },
        { role: "user", parts: [{ type: "tool-result", id: call.id, text: "97 %", is_error: false }] },
      ],
    });
    expect(second.parts).toEqual([{ type: "text", text: "It is nearly full." }]);
    const { body } = at.server.requests[1] ?? {};
    if (kind === "anthropic") expect(JSON.stringify(body)).toContain('"thinking":"The path is /var."');
    expect(at.server.problems).toEqual([]);
  });

  test("structured output is asked for by schema", async () => {
    await using at = await stage(kind, { conversations: [{ turns: [{ say: [{ json: { full: true } }] }] }] });
    const schema = { type: "object", properties: { full: { type: "boolean" } }, required: ["full"], additionalProperties: false };
    const reply = await attempt(at.provider, asks("Full?", { answer: { name: "fullness", schema }, effort: "low" }));
    expect(JSON.stringify(at.server.requests[0]?.body)).toContain('effort":"low"');
    expect(reply.parts).toEqual([{ type: "text", text: '{"full":true}' }]);
    expect(JSON.stringify(at.server.requests[0]?.body)).toContain('"json_schema"');
    expect(at.server.problems).toEqual([]);
  });

  test("a stable beginning is read from the provider's cache the second time", async () => {
    await using at = await stage(kind, says("Yes."));
    const request = asks("Again?", {
      system: [
        { text: "Rules that stay. ".repeat(100), stable: true },
        { text: "It is noon.", stable: false },
      ],
      tools,
    });
    const first = await attempt(at.provider, request);
    const second = await attempt(at.provider, request);
    expect(first.tokens?.cache_read_tokens).toBe(0);
    expect(first.tokens?.cache_write_tokens).toBeGreaterThan(300);
    expect(second.tokens?.cache_read_tokens).toBe(first.tokens?.cache_write_tokens ?? -1);
    expect(second.tokens?.cache_write_tokens).toBe(0);
    expect(at.server.problems).toEqual([]);
  });

  test("in a loop of calls the conversation so far is read from the cache", async () => {
    const look = (path: string) => ({ say: [{ tool: { name: "fs.usage", input: { path } } }] });
    await using at = await stage(kind, {
      conversations: [{ turns: [look("/"), look("/var"), look("/srv"), { say: [{ text: "Full." }] }] }],
    });
    let request = asks("Which is full?", { tools, system: [{ text: "Rules that stay. ".repeat(50), stable: true }] });
    const read: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const { parts, tokens } = await attempt(at.provider, request);
      read.push(tokens?.cache_read_tokens ?? -1);
      const results = parts.flatMap((part) =>
        part.type === "tool-use" ? [{ type: "tool-result" as const, id: part.id, text: "12 %", is_error: false }] : [],
      );
      request = { ...request, messages: [...request.messages, { role: "assistant", parts: [...parts] }, { role: "user", parts: results }] };
    }
    expect(read[0]).toBe(0);
    expect(read[1]).toBeGreaterThan(200);
    // Claude's breakpoint moves along; with OpenAI what is kept is the provider's own matter
    if (kind === "anthropic") expect(read[3]).toBeGreaterThan((read[2] ?? 0) + 10);
    expect(at.server.problems).toEqual([]);
  });

  test.each([
    ["refusal", "refused"],
    ["length", "length"],
  ] as const)("%s is told", async (stop, told) => {
    await using at = await stage(kind, says("Well", { stop }));
    expect((await attempt(at.provider, asks("Do it."))).stop).toBe(told);
  });

  test.each([
    [
      { kind: "status", status: 401 },
      { kind: "unauthorised", again: false, spent: "nothing" },
    ],
    [
      { kind: "status", status: 402 },
      { kind: "unauthorised", again: false },
    ],
    [
      { kind: "status", status: 400 },
      { kind: "rejected", again: false },
    ],
    [
      { kind: "status", status: 429, retry_after: "7" },
      { kind: "limited", again: true, retry_after_ms: 7000, spent: "nothing" },
    ],
    [
      { kind: "status", status: 429, retry_after_ms: "250", retry_after: "7" },
      { kind: "limited", retry_after_ms: 250 },
    ],
    [
      { kind: "status", status: 429, retry_after: "Fri, 01 Jan 2100 00:00:00 GMT" },
      { kind: "limited", retry_after_ms: 86_400_000 },
    ],
    [
      { kind: "status", status: 529 },
      { kind: "limited", again: true, retry_after_ms: null },
    ],
    [
      { kind: "status", status: 500 },
      { kind: "unreachable", again: true, spent: "nothing" },
    ],
    [{ kind: "break" }, { kind: "unreachable", again: true, spent: "unknown" }],
    [
      { kind: "break", after_events: 3 },
      { kind: "unreachable", again: true },
    ],
    [
      { kind: "end", after_events: 3 },
      { kind: "unreachable", again: true },
    ],
    [
      { kind: "garbage", after_events: 3 },
      { kind: "unreachable", again: true },
    ],
    [
      { kind: "error", after_events: 3 },
      { kind: "limited", again: true },
    ],
    [{ kind: "redirect", to: "http://127.0.0.1:1/" }, { kind: "unreachable" }],
  ] as const)("%j is %j", async (fault, told) => {
    await using at = await stage(kind, says("Yes, it is full to the brim.", { faults: [fault] }));
    const error = await failing(attempt(at.provider, asks("Well?")));
    expect(error).toBeInstanceOf(ChatError);
    expect(error).toMatchObject(told);
    expect(String(error)).toContain(`asking ${kind} ${kind}-test failed`);
    expect(at.server.requests.length).toBe(1); // the SDK's own retries are off
    expect((await attempt(at.provider, asks("Well?"))).stop).toBe("end");
  });

  test("silence is given up, before the first byte and within the stream", async () => {
    await using at = await stage(kind, says("Yes.", { faults: [{ kind: "hang" }, { kind: "hang", after_events: 3 }] }), {
      silence_ms: 300,
    });
    for (const _ of ["before", "within"]) {
      const error = await failing(attempt(at.provider, asks("Well?")));
      expect(error).toMatchObject({ kind: "unreachable", again: true });
      expect(String(error)).toContain("nothing came for 300 ms");
    }
    await at.server.until("both connections to be given up", () => at.server.requests.every(({ aborted }) => aborted));
  });

  test("a slow first byte and a slow drip are no silence", async () => {
    await using at = await stage(kind, says("It drips.", { first_byte_ms: 200, between_ms: 50 }), { silence_ms: 20_000 });
    expect((await attempt(at.provider, asks("Well?"))).parts).toEqual([{ type: "text", text: "It drips." }]);
  });

  test("what is not wanted any more is broken off within the stream", async () => {
    await using at = await stage(kind, says("A long story.", { faults: [{ kind: "hang", after_events: 5 }] }));
    const stop = new AbortController();
    const error = await failing(
      attempt(at.provider, asks("Tell."), stop.signal, () => stop.abort(new ChatError("cancelled", "not wanted any more"))),
    );
    expect(error).toMatchObject({ kind: "cancelled" });
    await at.server.until("the connection to be given up", () => at.server.requests[0]?.aborted === true);
  });

  test("the input of a tool that is no JSON is nonsense", async () => {
    await using at = await stage(kind, { conversations: [{ turns: [{ say: [{ tool: { name: "fs.usage", raw: '{"path":' } }] }] }] });
    expect(await failing(attempt(at.provider, asks("Full?", { tools })))).toMatchObject({ kind: "nonsense" });
  });

  test("nobody there, no such name", async () => {
    await using at = await stage(kind, says("Yes."));
    await at.server.close();
    const error = await failing(attempt(at.provider, asks("Well?")));
    expect(error).toMatchObject({ kind: "unreachable", again: true, spent: "nothing" });
    expect(String(error)).toContain("ECONNREFUSED");
  });

  test("the key is in no error", async () => {
    const faults = [
      { kind: "status", status: 400, echo_key: true },
      { kind: "status", status: 500, echo_key: true },
    ] as const;
    await using at = await stage(kind, says("Yes.", { faults }));
    const errors = [await failing(attempt(at.provider, asks("Well?"))), await failing(attempt(at.provider, asks("Well?")))];
    const wrong = providerFor(kind, at.server, { key: `${test_key}-old` });
    errors.push(await failing(attempt(wrong, asks("Well?"))));
    for (const odd of ["\nx", "ü", "\0"])
      errors.push(await failing(attempt(providerFor(kind, at.server, { key: `${test_key}${odd}` }), asks("Well?"))));
    expect(errors.map((error) => (error instanceof ChatError ? error.kind : "?")).slice(0, 3)).toEqual([
      "rejected",
      "unreachable",
      "unauthorised",
    ]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(ChatError);
      expect(Bun.inspect(error)).not.toContain(test_key.slice(8, 16));
    }
  });

  test("whatever a stream carries, it ends in a reply or in an error of ours", async () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.json({ maxDepth: 3 }).map((json) => `data: ${json}\n\n`),
      fc.constantFrom(...pieces_of_streams).map((json) => `event: ${JSON.parse(json).type ?? "x"}\ndata: ${json}\n\n`),
      fc.constantFrom("data: [DONE]\n\n", "event: ping\n\n", ": x\n", "\r\n\r\n", "data:\n\n", "event: message_stop\ndata: null\n\n"),
    );
    let text = "";
    const server = createHttpServer(
      (_request, response) => void response.writeHead(200, { "content-type": "text/event-stream" }).end(text),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`;
    const options = {
      model: "m",
      base_url: kind === "anthropic" ? url : `${url}/v1`,
      key: test_key,
      way: { ca: null, silence_ms: 60_000 },
    };
    const provider = kind === "anthropic" ? anthropicProvider(options) : openaiProvider(options);
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (all) => {
        text = all.join("");
        const got = await attempt(provider, asks("Well?")).catch((error: unknown) => error);
        if (got instanceof Error) expect(got).toBeInstanceOf(ChatError);
        else Reply.parse(got);
      }),
      { numRuns: 150 },
    );
    server.close();
  }, 120_000);

  test("bytes that are no HTTP", async () => {
    const server = createServer((socket) => void socket.end("220 mail ready\r\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    await using at = await stage(kind, says("Yes."));
    Object.defineProperty(at.server, "anthropic_url", { value: `http://127.0.0.1:${port}` });
    Object.defineProperty(at.server, "openai_url", { value: `http://127.0.0.1:${port}/v1` });
    expect(await failing(attempt(providerFor(kind, at.server), asks("Well?")))).toMatchObject({ kind: "unreachable" });
    server.close();
  });
});
