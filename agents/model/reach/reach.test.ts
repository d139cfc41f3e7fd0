/** What makes an answer out of tries, on the real SDKs against the provider of the tests. */

import { describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiBudget, Price } from "../../../contracts/model/provider.ts";
import { Budget } from "../budget/budget.ts";
import { Ledger } from "../budget/ledger.ts";
import { ChatError } from "../port.ts";
import { tokensAtMost } from "../prices.ts";
import { asks, failing, kinds, providerFor, type Stage, says, stage } from "../testing/providers.ts";
import { Breaker } from "./breaker.ts";
import { Reach, type ReachOptions } from "./reach.ts";

const much = { usd: 1000, tokens: 1_000_000_000 };
const price: Price = { input: 1, output: 10 };

interface Built {
  readonly reach: Reach;
  readonly budget: Budget;
  readonly breakers: readonly Breaker[];
  readonly time: { ms: number };
}

function build(stages: readonly Stage[], limits: Partial<ApiBudget> = {}, options: Partial<ReachOptions> = {}): Built {
  const time = { ms: 0 };
  const ledger = new Ledger(mkdtempSync(join(tmpdir(), "reach-")), { id: "one", clock: () => 10_000 });
  const budget = new Budget(ledger, { hour: much, day: much, incident: much, ...limits });
  const breakers = stages.map(() => new Breaker({ clock: () => time.ms }));
  const members = stages.map(({ provider }, at) => ({ provider, price, breaker: breakers[at] ?? new Breaker({ clock: () => 0 }) }));
  return { reach: new Reach({ members, budget, wait_ms: 10, ...options }), budget, breakers, time };
}

const schema = { type: "object", properties: { full: { type: "boolean" } }, required: ["full"], additionalProperties: false };
const tools = [
  {
    name: "fs.usage",
    description: "How full.",
    input: { type: "object", properties: { path: { type: "string", pattern: "^/" } }, required: ["path"] },
  },
];

describe.each(kinds)("%s", (kind) => {
  test("an answer, its tokens and its cost", async () => {
    await using at = await stage(kind, says("It is full.", { tokens: { input: 1000, cache_read: 100, cache_write: 50, output: 20 } }));
    const { reach, budget } = build([at]);
    const answer = await reach.chat(asks("Full?"));
    expect(answer).toMatchObject({ text: "It is full.", stop: "end", retries: 0, json: null, tool_uses: [] });
    expect(answer.usage).toEqual({
      input_tokens: 1000,
      cache_read_tokens: 100,
      cache_write_tokens: 50,
      output_tokens: 20,
      cost_usd: 0.00135,
    });
    expect(answer.first_token_ms).toBeLessThanOrEqual(answer.took_ms);
    expect(budget.left().hour.usd).toBeCloseTo(1000 - 0.00135, 9);
    expect(budget.left().hour.tokens).toBe(1_000_000_000 - 1170);
  });

  test("it is tried again after 529, 500 and a broken stream; what broke off is paid for", async () => {
    const faults = [
      { kind: "status", status: 529 },
      { kind: "status", status: 500 },
      { kind: "break", after_events: 4 },
    ] as const;
    await using at = await stage(kind, says("It is full to the brim.", { faults }));
    const { reach, budget } = build([at], {}, { tries_max: 4 });
    const heard: string[] = [];
    const answer = await reach.chat(asks("Full?"), { onText: (delta) => heard.push(delta), onRestart: () => (heard.length = 0) });
    expect(answer.retries).toBe(3);
    expect(heard.join("")).toBe("It is full to the brim.");
    expect(answer.usage.output_tokens).toBeGreaterThan(500); // the broken one counts with all that it might have said
    expect(budget.left().hour.usd).toBeCloseTo(1000 - answer.usage.cost_usd, 6);
  });

  test("retry-after is waited for, unless there is not so much time", async () => {
    await using at = await stage(
      kind,
      says("Yes.", {
        faults: [
          { kind: "status", status: 429, retry_after_ms: "20" },
          { kind: "status", status: 429, retry_after: "100" },
        ],
      }),
    );
    const { reach } = build([at]);
    const error = await failing(reach.chat(asks("Full?")));
    expect(error).toMatchObject({ kind: "limited", retry_after_ms: 100_000 });
    expect(at.server.requests.length).toBe(2);
  });

  test("after so many tries it gives up", async () => {
    await using at = await stage(kind, says("Yes.", { faults: Array(10).fill({ kind: "status", status: 500 }) }));
    expect(await failing(build([at]).reach.chat(asks("Full?")))).toMatchObject({ kind: "unreachable" });
    expect(at.server.requests.length).toBe(3);
  });

  test("what is wrong is not tried again", async () => {
    await using at = await stage(kind, says("Yes.", { faults: [{ kind: "status", status: 400 }] }));
    expect(await failing(build([at]).reach.chat(asks("Full?")))).toMatchObject({ kind: "rejected" });
    expect(at.server.requests.length).toBe(1);
  });

  test("the limit holds for all of it, also while it waits", async () => {
    await using at = await stage(kind, says("Yes.", { faults: [{ kind: "hang", after_events: 2 }] }));
    expect(await failing(build([at]).reach.chat(asks("Full?", { limit_ms: 400 })))).toMatchObject({ kind: "timeout" });
    await at.server.until("the connection to be given up", () => at.server.requests[0]?.aborted === true);
  });

  test("what is called off stops within the stream and within a wait, and is counted at its most", async () => {
    await using at = await stage(
      kind,
      says("A long story of a disk.", {
        faults: [
          { kind: "hang", after_events: 5 },
          { kind: "status", status: 500 },
        ],
      }),
    );
    const { reach, budget } = build([at], {}, { wait_ms: 1e8, wait_ms_max: 1e8 });
    const stop = new AbortController();
    const request = asks("Tell.", { limit_ms: 600_000 });
    expect(await failing(reach.chat(request, { signal: stop.signal, onText: () => stop.abort() }))).toMatchObject({ kind: "cancelled" });
    expect(1_000_000_000 - budget.left().hour.tokens).toBeGreaterThanOrEqual(500);
    await at.server.until("the connection to be given up", () => at.server.requests[0]?.aborted === true);
    const never = AbortSignal.abort();
    expect(await failing(reach.chat(request, { signal: never }))).toMatchObject({ kind: "cancelled" });
    expect(at.server.requests.length).toBe(1);
  });

  test("JSON is checked, and asked for once more with what is wrong", async () => {
    await using at = await stage(kind, {
      conversations: [
        {
          turns: [
            { say: [{ json: { full: "very" } }] },
            { expect: { text: 'at "/full" it must be boolean' }, say: [{ json: { full: true } }] },
          ],
        },
      ],
    });
    const answer = await build([at]).reach.chat(asks("Full?", { answer: { name: "fullness", schema } }));
    expect(answer.json).toEqual({ full: true });
    expect(at.server.problems).toEqual([]);
    expect(answer.usage.output_tokens).toBeGreaterThan(8);
  });

  test("wrong twice is nonsense", async () => {
    await using at = await stage(kind, {
      conversations: [{ turns: [{ say: [{ text: "very" }] }, { say: [{ text: '{"full":' }] }, { say: [{ json: { full: true } }] }] }],
    });
    const error = await failing(build([at]).reach.chat(asks("Full?", { answer: { name: "fullness", schema } })));
    expect(error).toMatchObject({ kind: "nonsense" });
    expect(String(error)).toContain("no JSON");
    expect(at.server.requests.length).toBe(2);
  });

  test("the input of a tool is checked by its schema; the call that was right is to be made again", async () => {
    const calls = [
      { tool: { name: "fs.usage", input: { path: "var" } } },
      { tool: { name: "fs.usage", input: { path: "/srv" } } },
      { tool: { name: "fs.wipe", input: {} } },
    ];
    await using at = await stage(kind, {
      conversations: [
        {
          turns: [
            { say: calls },
            { expect: { tool_result: "must match pattern" }, say: [{ tool: { name: "fs.usage", input: { path: "/var" } } }] },
          ],
        },
      ],
    });
    const answer = await build([at]).reach.chat(asks("Full?", { tools }));
    expect(answer.tool_uses).toMatchObject([{ name: "fs.usage", input: { path: "/var" } }]);
    expect(JSON.stringify(at.server.requests[1]?.body)).toContain('there is no tool \\"fs.wipe\\"');
    expect(at.server.problems).toEqual([]);
  });

  test("an input that is no JSON is asked for again too", async () => {
    await using at = await stage(kind, { conversations: [{ turns: [{ say: [{ tool: { name: "fs.usage", raw: '{"path"' } }] }] }] });
    expect(await failing(build([at]).reach.chat(asks("Full?", { tools })))).toMatchObject({ kind: "nonsense" });
    expect(at.server.requests.length).toBe(2);
    expect(JSON.stringify(at.server.requests[1]?.body)).toContain("is no JSON object");
    expect(at.server.problems).toEqual([]);
  });

  test("a call that was demanded and not made is asked for once more", async () => {
    await using at = await stage(kind, {
      conversations: [
        {
          turns: [
            { say: [{ text: "No." }] },
            { expect: { text: "a tool has to be called" }, say: [{ tool: { name: "fs.usage", input: { path: "/" } } }] },
          ],
        },
      ],
    });
    const answer = await build([at]).reach.chat(asks("Full?", { tools, tool_choice: "required" }));
    expect(answer.tool_uses.length).toBe(1);
    expect(at.server.problems).toEqual([]);
  });

  test("a refusal is an answer", async () => {
    await using at = await stage(kind, says("I can't.", { stop: "refusal" }));
    expect(await build([at]).reach.chat(asks("Full?", { answer: { name: "fullness", schema } }))).toMatchObject({
      stop: "refused",
      json: null,
    });
    expect(at.server.requests.length).toBe(1);
  });

  test("without usage in the stream it counts as the most that it can be", async () => {
    await using at = await stage(kind, says("Yes.", { no_usage: true }));
    const request = asks("Full?");
    const { usage } = await build([at]).reach.chat(request);
    if (kind === "openai") expect(usage.output_tokens).toBe(request.tokens_max);
    else expect(usage.output_tokens).toBeLessThan(request.tokens_max); // it always says
  });

  test("no try goes past the budget", async () => {
    await using at = await stage(kind, says("Yes.", { faults: Array(5).fill({ kind: "break", after_events: 3 }) }));
    const request = asks("Full?");
    const { input_tokens } = tokensAtMost(request);
    const one = (input_tokens + 10 * request.tokens_max) / 1e6;
    // what broke off after it began counts with its real input, so that a second try fits, and a third does not
    const { reach, budget } = build([at], { hour: { usd: one * 1.9, tokens: 1e9 } }, { tries_max: 5 });
    const error = await failing(reach.chat(request));
    expect(error).toMatchObject({ kind: "budget" });
    expect(at.server.requests.length).toBeLessThan(3);
    expect(budget.left().hour.usd).toBeGreaterThanOrEqual(0);
    expect(await failing(reach.chat(request))).toMatchObject({ kind: "budget" });
    expect(at.server.requests.length).toBeLessThan(3);
  });

  test("the most that is kept free is never less than what the provider counts", async () => {
    await using at = await stage(kind, says("Yes."));
    for (const text of ["a", "äöü€😀".repeat(200), "\u0000\n\\".repeat(300), "x".repeat(50_000)]) {
      const request = asks(text, { tools });
      const { usage } = await build([at]).reach.chat(request);
      const counted = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
      expect(counted).toBeLessThanOrEqual(tokensAtMost(request).input_tokens);
    }
    expect(at.server.problems).toEqual([]);
  });
});

describe("several providers", () => {
  test("the next one answers when the first fails for good, is overloaded for long, or is not there", async () => {
    for (const fault of [
      { kind: "status", status: 401 },
      { kind: "status", status: 529, retry_after: "60" },
      { kind: "redirect", to: "http://127.0.0.1:1" },
    ] as const) {
      await using first = await stage("anthropic", says("Mine.", { faults: Array(5).fill(fault) }));
      await using second = await stage("openai", says("Theirs."));
      expect((await build([first, second]).reach.chat(asks("Who?"))).text).toBe("Theirs.");
      expect(second.server.requests.length).toBe(1);
    }
  });

  test("a first one from which nothing comes has its share of the time", async () => {
    await using first = await stage("anthropic", says("Mine.", { faults: [{ kind: "hang" }] }));
    await using second = await stage("openai", says("Theirs."));
    expect((await build([first, second]).reach.chat(asks("Who?", { limit_ms: 10_000 }))).text).toBe("Theirs.");
  }, 60_000);

  test("a conversation goes on with the other one; what only the first understands is left out", async () => {
    const script = {
      conversations: [
        {
          turns: [
            { say: [{ thinking: "Hm." }, { tool: { name: "fs.usage", input: { path: "/" } } }] },
            { expect: { tool_result: "97" }, say: [{ text: "Full." }], faults: Array(9).fill({ kind: "status", status: 401 }) },
          ],
        },
      ],
    };
    await using first = await stage("anthropic", script);
    await using second = await stage("openai", {
      conversations: [{ turns: [{ say: [] }, { expect: { tool_result: "97" }, say: [{ text: "Full." }] }] }],
    });
    const { reach } = build([first, second]);
    const request = asks("Full?", { tools });
    const { parts, tool_uses } = await reach.chat(request);
    const results = tool_uses.map(({ id }) => ({ type: "tool-result" as const, id, text: "97 %", is_error: false }));
    const answer = await reach.chat({
      ...request,
      messages: [...request.messages, { role: "assistant", parts }, { role: "user", parts: results }],
    });
    expect(answer).toMatchObject({ text: "Full.", model: "openai-test" });
    expect([...first.server.problems, ...second.server.problems]).toEqual([]);
  });

  test("one that fails again and again is left alone, probed later, and taken back", async () => {
    await using first = await stage("anthropic", says("Mine.", { faults: Array(5).fill({ kind: "status", status: 500 }) }));
    await using second = await stage("openai", says("Theirs."));
    const { reach, breakers, time } = build([first, second], {}, { tries_max: 1 });
    for (let n = 0; n < 7; n += 1) expect((await reach.chat(asks("Who?"))).text).toBe("Theirs.");
    expect(first.server.requests.length).toBe(5);
    expect(breakers[0]?.state).toBe("open");
    time.ms += breakers[0]?.wait_ms ?? 0;
    expect((await reach.chat(asks("Who?"))).text).toBe("Mine.");
    expect(breakers[0]?.state).toBe("closed");
  });

  test("when all fail, each is named, and when it may work again", async () => {
    await using first = await stage("anthropic", says("Mine.", { faults: [{ kind: "status", status: 429, retry_after: "90" }] }));
    await using second = await stage("openai", says("Theirs.", { faults: [{ kind: "status", status: 401 }] }));
    const error = await failing(build([first, second]).reach.chat(asks("Who?")));
    expect(error).toMatchObject({ kind: "limited", retry_after_ms: 90_000 });
    expect(String(error)).toContain("anthropic anthropic-test");
    expect(String(error)).toContain("openai openai-test");
  });

  test("none is configured", async () => {
    expect(await failing(build([]).reach.chat(asks("Who?")))).toMatchObject({ kind: "absent" });
  });

  test("a cheaper one is asked when the first does not fit the budget", async () => {
    await using first = await stage("anthropic", says("Mine."));
    await using second = await stage("openai", says("Theirs."));
    const built = build([first, second], { hour: { usd: 0.001, tokens: 1e9 } });
    const free: Price = { input: 0, output: 0 };
    const members = [
      { provider: providerFor("anthropic", first.server), price, breaker: new Breaker({ clock: () => 0 }) },
      { provider: providerFor("openai", second.server), price: free, breaker: new Breaker({ clock: () => 0 }) },
    ];
    const answer = await new Reach({ members, budget: built.budget }).chat(asks("Who?"));
    expect(answer).toMatchObject({ text: "Theirs.", usage: { cost_usd: 0 } });
    expect(first.server.requests.length).toBe(0);
  });
});

test("errors are of our own kind", async () => {
  await using at = await stage("openai", says("Yes.", { faults: [{ kind: "status", status: 418 }] }));
  expect(await failing(build([at]).reach.chat(asks("Tea?")))).toBeInstanceOf(ChatError);
});
