/** With the real models, in the real process. */

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { ChatRequest, ChoiceRequest } from "../../../contracts/model/chat.ts";
import { chats_open_max } from "../../../contracts/model/think.ts";
import { ChatError } from "../port.ts";
import type { LocalModel } from "./local-model.ts";
import { has_models, loadedModel, openModel, plain, small, until } from "./testing/models.ts";

// a machine with other work to do takes its time
setDefaultTimeout(300_000);

const limit_ms = 300_000;
const started: LocalModel[] = [];
afterAll(() => started.forEach((one) => void one.stop("the test is over")));

async function load(...options: Parameters<typeof loadedModel>): Promise<LocalModel> {
  const model = await loadedModel(...options);
  started.push(model);
  return model;
}

function ask(text: string, more: Partial<ChatRequest> = {}): ChatRequest {
  const messages: ChatRequest["messages"] = [{ role: "user", parts: [{ type: "text", text }] }];
  return { system: [], messages, tools: [], tool_choice: "auto", answer: null, tokens_max: 24, temperature: 0, limit_ms, ...more };
}

const part = "You say which part of a Linux machine a log message is about: password, disk, memory or network.";

function sort(message: string, options = ["password", "disk", "memory", "network"]): ChoiceRequest {
  return { system: [{ text: part, stable: true }], question: message, options, limit_ms };
}

async function likeliest(model: LocalModel, request: ChoiceRequest): Promise<string | undefined> {
  const { probabilities } = await model.choose(request);
  return request.options[probabilities.indexOf(Math.max(...probabilities))];
}

async function failure(work: Promise<unknown>): Promise<ChatError> {
  const error = await work.then(
    () => null,
    (cause: unknown) => cause,
  );
  if (error instanceof ChatError) return error;
  throw new Error(`a failure was expected, and there was: ${String(error)}`);
}

describe.skipIf(!has_models)("with SmolLM2", () => {
  test("chooses by meaning, reads a stable prefix once, and what it kept changes nothing", async () => {
    const model = await load(small());
    const cases = [
      ["network link eth0 is down", "network"],
      ["Out of memory: Killed process 4711", "memory"],
      ["write failed: disk /dev/sda1 is full", "disk"],
    ] as const;
    for (const [message, kind] of cases) expect([message, await likeliest(model, sort(message))]).toEqual([message, kind]);
    const [message] = cases[0];
    const kept = await model.choose(sort(message));
    expect(kept.usage.cache_read_tokens).toBeGreaterThan(15);
    expect(kept.usage.input_tokens).toBeLessThan(40);
    const fresh = await load(small({ sequences: 1 }));
    const first = await fresh.choose(sort(message));
    expect(first.usage.cache_read_tokens).toBe(0);
    for (const [at, probability] of first.probabilities.entries()) expect(kept.probabilities[at]).toBeCloseTo(probability, 2);
    expect(kept.probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
    // the order in which options are offered is not seen by the model
    const turned = await model.choose(sort(message, ["network", "memory", "disk", "password"]));
    for (const [at, probability] of turned.probabilities.toReversed().entries())
      expect(probability).toBeCloseTo(kept.probabilities[at] ?? -1, 2);
  });

  test("weighs options that begin alike, and one that another begins with", async () => {
    const model = await load(small());
    const options = ["disk", "disk-full", "disk-failing", "network-link-down", "network-dns"];
    const { probabilities } = await model.choose(sort("eth0: link is down", options));
    expect(probabilities).toHaveLength(5);
    expect(probabilities.every((one) => one > 0 && one < 1)).toBe(true);
    expect(probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
    expect((await failure(model.choose(sort("x", ["disk", "disk"])))).kind).toBe("rejected");
  });

  test("says what is asked for, as it comes, and tells what it cost", async () => {
    const model = await load(small());
    let heard = "";
    const answer = await model.chat(ask("What is the capital of France? Answer with one word."), { onText: (delta) => (heard += delta) });
    expect(answer.text).toContain("Paris");
    expect(heard).toBe(answer.text);
    expect(answer).toMatchObject({ stop: "end", json: null, tool_uses: [], model: small().name, retries: 0 });
    expect(answer.usage).toMatchObject({ cost_usd: 0, cache_write_tokens: 0 });
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
    const short = await model.chat(ask("Count from one to a hundred.", { tokens_max: 5 }));
    expect(short).toMatchObject({ stop: "length", usage: { output_tokens: 5 } });
  });

  test("calls a tool by its schema when it has to", async () => {
    const model = await load(small());
    const path = { type: "object", properties: { path: { type: "string", maxLength: 20 } }, required: ["path"] };
    const days = { type: "object", properties: { days: { type: "integer", minimum: 1, maximum: 30 } }, required: ["days"] };
    const tools = [
      { name: "fs.list", description: "Lists the files of a folder", input: path },
      { name: "fs.clean", description: "Deletes files older than so many days", input: days },
    ];
    const answer = await model.chat(ask("List the files in /var/log", { tools, tool_choice: "required", tokens_max: 60 }));
    expect(answer.stop).toBe("tool-use");
    expect(answer.tool_uses).toHaveLength(1);
    const [use] = answer.tool_uses;
    expect(["fs.list", "fs.clean"]).toContain(use?.name ?? "");
    const told = await model.chat({
      ...ask("List the files in /var/log", { tools, tool_choice: "none", tokens_max: 8 }),
      messages: [
        { role: "user", parts: [{ type: "text", text: "List the files in /var/log" }] },
        { role: "assistant", parts: answer.parts },
        { role: "user", parts: [{ type: "tool-result", id: use?.id ?? "", text: "syslog auth.log", is_error: false }] },
      ],
    });
    expect(told.tool_uses).toEqual([]);
    expect(told.text).not.toBe("");
  });

  test("a question goes before chats; several chats go on side by side; what is too much is refused", async () => {
    const model = await load(small({ sequences: 3 }));
    const ends: string[] = [];
    const talk = (name: string) => model.chat(ask("Write a long story about a machine.", { tokens_max: 60 })).then(() => ends.push(name));
    const chats = [talk("one"), talk("two")];
    const question = model.choose(sort("No space left on device")).then(() => ends.push("question"));
    await Promise.all([...chats, question]);
    expect(ends[0]).toBe("question");
    const controller = new AbortController();
    const waiting = Array.from({ length: chats_open_max }, () =>
      failure(model.chat(ask("Tell me a story.", { tokens_max: 500 }), { signal: controller.signal })),
    );
    const refused = await failure(model.chat(ask("One more.")));
    expect(refused).toMatchObject({ kind: "limited", again: true, retry_after_ms: expect.any(Number) });
    controller.abort();
    expect((await Promise.all(waiting)).map((error) => error.kind)).toEqual(waiting.map(() => "cancelled"));
  });

  test("cancelled, it stops at the next token: with one sequence only, the next one could not begin else", async () => {
    const model = await load(small({ sequences: 1 }));
    const controller = new AbortController();
    const first = Promise.withResolvers<void>();
    const story = failure(
      model.chat(ask("Write a very long story.", { tokens_max: 1900 }), { signal: controller.signal, onText: () => first.resolve() }),
    );
    await first.promise;
    controller.abort();
    expect((await story).kind).toBe("cancelled");
    expect((await model.chat(ask("Hello", { tokens_max: 3 }))).usage.output_tokens).toBeLessThanOrEqual(3);
    expect((await failure(model.chat(ask("Hello"), { signal: AbortSignal.abort() }))).kind).toBe("cancelled");
    expect((await failure(model.chat(ask("Write a very long story.", { tokens_max: 1900, limit_ms: 50 })))).kind).toBe("timeout");
  });

  test("a process that is killed in the middle fails what waits, and comes back", async () => {
    const model = await load(small());
    const first = Promise.withResolvers<void>();
    const story = failure(model.chat(ask("Write a long story.", { tokens_max: 1500 }), { onText: () => first.resolve() }));
    const waiting = failure(model.chat(ask("Another one.")));
    await first.promise;
    const pid = model.loaded?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    expect((await story).kind).toBe("unreachable");
    expect((await waiting).kind).toBe("unreachable");
    await until("the process to come back", () => model.loaded !== null && model.loaded.pid !== pid);
    expect(model.restarts).toBe(1);
    expect(await likeliest(model, sort("write failed: disk /dev/sda1 is full"))).toBe("disk");
  });

  test("one that is slow is left to end what it began; one that hangs is ended, and comes back", async () => {
    const model = await load(small(), { grace_ms: 100, alive_ms: 3000 });
    const pid = model.loaded?.pid ?? 0;
    const long = "word ".repeat(1500);
    const late = Array.from({ length: 4 }, (_, at) => failure(model.chat(ask(`${at} ${long}`, { limit_ms: 30 }))));
    expect((await Promise.all(late)).map(({ kind }) => kind)).toEqual(late.map(() => "timeout"));
    expect((await model.chat(ask("Hello", { tokens_max: 3 }))).model).toBe(small().name);
    expect([model.restarts, model.loaded?.pid]).toEqual([0, pid]);
    process.kill(pid, "SIGSTOP");
    expect((await failure(model.chat(ask("Hello", { limit_ms: 50 })))).kind).toBe("timeout");
    await until("the process to come back", () => model.loaded !== null && model.loaded.pid !== pid);
    expect(model.restarts).toBe(1);
  });

  test("a prompt that is too long is refused, with the figures", async () => {
    const model = await load(small({ context_used_tokens: 256 }));
    const error = await failure(model.chat(ask("word ".repeat(600))));
    expect(error.kind).toBe("rejected");
    expect(error.message).toMatch(/the prompt has 6\d\d tokens, and the model is loaded for 256 with the answer/);
    const huge = await failure(model.chat(ask("word ".repeat(39_000), { system: [{ text: "x".repeat(20_000), stable: true }] })));
    expect(huge.message).toMatch(/the request has \d+ bytes, more than 200000/);
    const to_the_end = await model.chat(ask("Tell me a long story.", { tokens_max: 1000 }));
    expect(to_the_end.usage.output_tokens).toBeLessThan(256);
  });

  test("what does not fit, or is not what it should be, is not loaded, and said why", async () => {
    const mib = 1024 * 1024;
    const narrow = openModel(small(), { room: () => ({ available_bytes: 200 * mib, of: "the tier" }) });
    expect(narrow.loaded).toBeNull();
    expect(narrow.reason).toMatch(/^the model needs 3\d\d MiB and the tier has 200 MiB left; /);
    expect((await failure(narrow.chat(ask("Hello")))).kind).toBe("absent");
    narrow.stop("over");
    const cut = openModel(small({ size_bytes: 1000 }));
    await until("the refusal", () => cut.reason?.includes("bytes, not 1000") === true);
    expect((await failure(cut.choose(sort("x")))).kind).toBe("unreachable");
    cut.stop("over");
    const untaught = openModel(plain({ chat_format: "gemma" }));
    await until("the refusal", () => untaught.reason?.includes("it has no chat template") === true);
    untaught.stop("over");
  });
});

test.skipIf(!has_models)("with Gemma, which was not taught to chat: the same questions as plain text", async () => {
  const model = await load(plain());
  const system = [{ text: "Kinds of problems of a machine.\n\nQuestion: Failed password for root\n\nAnswer: security", stable: true }];
  const options = ["disk", "memory", "security"];
  expect(await likeliest(model, { system, question: "authentication failure for user admin", options, limit_ms })).toBe("security");
  expect(await likeliest(model, { system, question: "no space left on the disk", options, limit_ms })).toBe("disk");
  const schema = { type: "object", properties: { full: { type: "boolean" } }, required: ["full"], additionalProperties: false };
  const { json } = await model.chat(ask("Is the disk full?", { answer: { name: "disk", schema } }));
  expect(["true", "false"].map((full) => `{"full":${full}}`)).toContain(JSON.stringify(json));
});
