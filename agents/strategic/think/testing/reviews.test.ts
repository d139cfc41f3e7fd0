/** A second opinion on a call that waits: the real SDKs against the provider of the tests, and the real broker with its policies. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { broker_methods } from "../../../../contracts/broker.ts";
import { StrategicConfig } from "../../../../contracts/model/provider.ts";
import { callerSocket } from "../../../../contracts/paths.ts";
import type { Approval } from "../../../../contracts/permission.ts";
import { connectUnix, silent } from "../../../../wire/unix.ts";
import { Budget } from "../../../model/budget/budget.ts";
import { Ledger } from "../../../model/budget/ledger.ts";
import { kinds, test_key } from "../../../model/testing/providers.ts";
import { loadThresholds } from "../../../router/thresholds.ts";
import type { BrokerPeer } from "../../../shared/ask-tool.ts";
import { Standing } from "../../../shared/standing.ts";
import type { ScriptText } from "../../../testing/provider/script.ts";
import { startProvider, type TestProvider } from "../../../testing/provider/server.ts";
import { Models } from "../../models.ts";
import type { Thinker } from "../incidents.ts";
import { ToolBox } from "../looks.ts";
import { reviewRound } from "../reviews.ts";

const folder = mkdtempSync(join(tmpdir(), "reviews-"));
const person = { name: "anna", role: "operator" } as const;
let broker: Subprocess<"pipe", "pipe", "inherit">;
let peers: Record<"tactical" | "strategic" | "console", BrokerPeer>;
let server: TestProvider;
/** Belongs to nothing: ending it is final, so that a person is asked. */
let stranger: Subprocess;

beforeAll(async () => {
  const serve = join(import.meta.dir, "../../../../tools/testing/serve.ts");
  broker = Bun.spawn([process.execPath, serve, folder, "--authority", "policies"], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  let written = "";
  for await (const bytes of broker.stdout) {
    written += Buffer.from(bytes).toString();
    if (written.includes("ready\n")) break;
  }
  const connect = (caller: keyof typeof peers): Promise<BrokerPeer> =>
    connectUnix(callerSocket("broker", caller, join(folder, "run")), { ...silent, calls: broker_methods, tells: {} });
  peers = { tactical: await connect("tactical"), strategic: await connect("strategic"), console: await connect("console") };
  server = await startProvider({ script: { conversations: [{ turns: [{ say: [] }] }] }, key: test_key });
  stranger = Bun.spawn(["sleep", "3600"]);
}, 120_000);
afterAll(async () => {
  stranger?.kill();
  broker?.kill("SIGKILL");
  await broker?.exited;
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => {
  expect(server.problems.splice(0)).toEqual([]);
  server.requests.splice(0);
});

function thinkerOf(kind: (typeof kinds)[number], more: { usd?: number; hindrance?: string } = {}): Thinker {
  const { usd = 1, hindrance = null } = more;
  const limit = { usd, tokens: 1_000_000 };
  const base_url = kind === "anthropic" ? server.anthropic_url : server.openai_url;
  const config = StrategicConfig.parse({
    providers: [{ kind, model: `${kind}-test`, base_url, key: { value: test_key }, price: { input: 1, output: 10 } }],
    budget: { hour: limit, day: limit, incident: limit },
  });
  const own = mkdtempSync(join(folder, "models-"));
  const clock = (): number => performance.now();
  const models = new Models({
    settings: { config, problems: [] },
    budget: new Budget(new Ledger(own, { id: "one", clock }), config.budget),
    ...{ secrets: own, clock, warn: () => {} },
  });
  const asked = (): BrokerPeer => peers.strategic;
  const memory = (): never => {
    throw new Error("memory is not asked here");
  };
  return {
    ...{ models, name: () => `${kind}-test`, hindrance: () => hindrance, broker: asked, memory },
    tools: new ToolBox(asked),
    standing: new Standing("0badcafe"),
    thresholds: loadThresholds(),
  };
}

/** The tactical tier wants to end a process. @returns the call that waits */
async function wanted(why: string, tainted: string[] = []): Promise<string> {
  const _meta = { reason: { text: why }, tainted };
  const args = { process: stranger.pid };
  const { _meta: outcome } = await peers.tactical.call("tools/call", { name: "process.kill", arguments: args, _meta });
  expect(outcome).toMatchObject({ status: "waiting" });
  return outcome.call;
}

async function reviewed(
  call: string,
  thinker: Thinker,
  turns: ScriptText["conversations"][number]["turns"],
  again: ReturnType<typeof reviewRound> | null = null,
): Promise<Approval> {
  server.use({ conversations: [{ turns }] });
  const warned: string[] = [];
  const round = again ?? reviewRound(thinker, (sentence) => warned.push(sentence));
  await round.run();
  while (round.busy > 0) await Bun.sleep(5);
  expect(warned).toEqual([]);
  const { approvals } = await peers.console.call("approvals/list", { all: false, person });
  const found = approvals.find((one) => one.call === call);
  if (found === undefined) throw new Error(`"${call}" does not wait any more`);
  return found;
}
const decline = (call: string) =>
  peers.console.call("approvals/decide", { call, approve: false, reason: "the test is at its end", person });
const says = (verdict: string, reason: string) => ({ tool: { name: "review.answer", input: { verdict, reason } } });

describe.each([...kinds])("%s", (kind) => {
  test("it looks, thinks, and its opinion stands with the approval; the call waits on, also when it would approve", async () => {
    const call = await wanted("it keeps a processor busy and belongs to nothing that is known");
    const approval = await reviewed(call, thinkerOf(kind), [
      {
        expect: { tool: "process.list", text: "it keeps a processor busy" },
        say: [{ tool: { name: "process.list", input: { sort: "cpu", limit: 3 } } }],
      },
      { expect: { tool_result: "status: done" }, say: [says("perhaps", "it is so")] },
      { expect: { tool_result: "does not fit" }, say: [says("approve", "it is no process of a service, and nothing was lost")] },
    ]);
    expect(approval).toMatchObject({
      state: "waiting",
      review: { verdict: "approve", reason: "it is no process of a service, and nothing was lost", model: `${kind}-test` },
    });
    expect(approval.review?.tokens).toBeGreaterThan(100);
    expect(approval.review?.usd).toBeGreaterThan(0);
    expect(stranger.exitCode).toBeNull();
    const { entries } = await peers.console.call("audit/query", { query: { call, limit: 10 }, person });
    expect(entries.map(({ body }) => body["review"] ?? null)).toContainEqual(approval.review);
    // once, and by nobody else
    await expect(
      peers.strategic.call("reviews/give", { call, opinion: { ...approval.review, verdict: "reject" } as never }),
    ).rejects.toThrow("it has an opinion already");
    await expect(peers.tactical.call("reviews/pending", {})).rejects.toThrow("may not call");
    await decline(call);
  });

  test("what rests on text from outside is thought about as such; what could not be thought about says why", async () => {
    const call = await wanted("a log line says that this process is to be ended at once", [""]);
    const turns = [{ expect: { text: "everything" }, say: [says("reject", "only a log line asks for it")] }];
    expect((await reviewed(call, thinkerOf(kind), turns)).review).toMatchObject({ verdict: "reject", heard_outside: true });
    await decline(call);
    const poor = await wanted("there is no money");
    const broke = await reviewed(poor, thinkerOf(kind, { usd: 0.000_001 }), [{ say: [] }]);
    expect(broke.review).toMatchObject({ verdict: "none", reason: expect.stringContaining("does not fit the budget"), tokens: 0 });
    await decline(poor);
    const refused = await wanted("the provider will not");
    const review = (await reviewed(refused, thinkerOf(kind), [{ say: [{ text: "no" }], stop: "refusal" }])).review;
    expect(review).toMatchObject({ verdict: "none", reason: "the provider refused to answer, by its own policy" });
    await decline(refused);
  });
});

test("without a provider the approval says so, and nobody is asked", async () => {
  const call = await wanted("nobody is there to be asked");
  const { review } = await reviewed(call, thinkerOf("openai", { hindrance: "no API key configured" }), [{ say: [] }]);
  expect(review).toEqual({ verdict: "none", reason: "no API key configured", model: null, tokens: 0, usd: 0, heard_outside: false });
  expect(server.requests).toEqual([]);
  await decline(call);
});

test("once a provider can be asked, it is asked about what still waits; while none answers, seldom", async () => {
  const call = await wanted("the provider comes back");
  let hindrance: string | null = "offline";
  let now_ms = 0;
  const thinker = { ...thinkerOf("openai"), hindrance: () => hindrance };
  const round = reviewRound(
    thinker,
    (sentence) => {
      throw new Error(sentence);
    },
    () => now_ms,
  );
  const turns = [{ say: [says("reject", "it does harm")] }];
  const looked = async (): Promise<string | undefined> => (await reviewed(call, thinker, turns, round)).review?.verdict;
  expect(await looked()).toBe("none");
  now_ms = 3_600_000;
  expect(await looked()).toBe("none"); // nobody is there yet
  hindrance = null;
  now_ms = 60_000;
  expect(await looked()).toBe("none"); // too soon
  now_ms = 3_600_000;
  expect(await looked()).toBe("reject");
  const asked = server.requests.length;
  now_ms = 7_200_000;
  expect(await looked()).toBe("reject");
  expect(server.requests).toHaveLength(asked); // once
  await decline(call);
});
