import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Client, type ElicitResult, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { startWorld, type World } from "../testing/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => await world.close());

interface Wishes {
  /** What the person says when he is asked; left out: the client cannot ask anybody. */
  readonly says?: (message: string) => ElicitResult;
  readonly era?: "auto" | "legacy";
  readonly over?: "http" | "stdio";
}

async function connected({ says, era = "auto", over = "http" }: Wishes = {}): Promise<Client> {
  const capabilities = says === undefined ? {} : { elicitation: { form: {} } };
  const client = new Client({ name: "test", version: "1.2.3" }, { capabilities, versionNegotiation: { mode: era } });
  if (says !== undefined) client.setRequestHandler("elicitation/create", ({ params }) => says(params.message));
  const fetchOver = (url: string | URL, init?: RequestInit): Promise<Response> => fetch(url, { ...init, unix: world.socket });
  const http = (): StreamableHTTPClientTransport => new StreamableHTTPClientTransport(new URL("http://aios/mcp"), { fetch: fetchOver });
  const stdio = (): StdioClientTransport =>
    new StdioClientTransport({
      command: process.execPath,
      args: [join(import.meta.dir, "../aiosctl/main.tsx"), "mcp"],
      env: { PATH: process.env["PATH"] ?? "", AIOS_SOCKET: world.socket },
    });
  await client.connect(over === "http" ? http() : stdio());
  return client;
}

const lastCall = (): unknown => world.broker?.calls.findLast(({ method }) => method === "tools/call")?.params;

describe.each([
  ["http", "auto"],
  ["http", "legacy"],
  ["stdio", "auto"],
  ["stdio", "legacy"],
] as const)("over %s, %s", (over, era) => {
  test("the catalogue with schemas, annotations and risk; a call with its reason and its answer", async () => {
    const client = await connected({ over, era });
    expect(client.getNegotiatedProtocolVersion()).toBe(era === "auto" ? "2026-07-28" : "2025-11-25");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["fs.read", "fs.write", "sys.power"]);
    expect(tools[1]).toMatchObject({
      title: "Write a file",
      inputSchema: { type: "object", required: ["path", "text"], additionalProperties: false },
      annotations: { readOnlyHint: false, destructiveHint: false },
      _meta: { "aios/risk": "reversible", "aios/undoable": true },
    });
    const args = { path: "/srv/x", text: "t" };
    const answer = await client.callTool({ name: "fs.write", arguments: args, _meta: { "aios/reason": "a test", "aios/group": "g" } });
    expect(answer).toMatchObject({ structuredContent: { bytes: 5 }, content: [{ type: "text", text: '{"bytes":5}' }], isError: false });
    expect(answer._meta?.["aios/outcome"]).toMatchObject({ call: "0badcafe-call-17", status: "done" });
    expect(lastCall()).toMatchObject({
      name: "fs.write",
      arguments: args,
      _meta: { reason: { text: "a test" }, group: "g" },
      person: { name: "operator" },
    });
    await client.close();
  }, 30_000);
});

test("without a reason the record says who asked", async () => {
  const client = await connected();
  await client.callTool({ name: "fs.write", arguments: {} });
  expect(lastCall()).toMatchObject({ _meta: { reason: { text: "asked over MCP by test 1.2.3, without a reason" } } });
  const wrong = await client.callTool({ name: "fs.write", arguments: {}, _meta: { "aios/reason": 7 } });
  expect(wrong).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("aios/reason") }] });
  await client.close();
});

describe("a call that waits for a person", () => {
  const power = { name: "sys.power", arguments: { action: "reboot" } };
  const decision = (): unknown => world.broker?.calls.findLast(({ method }) => method === "approvals/decide")?.params;

  test("is asked of the person behind the client, with what will change and what cannot be taken back", async () => {
    let asked = "";
    const client = await connected({
      says: (message) => {
        asked = message;
        return { action: "accept", content: { approve: true, reason: "go on" } };
      },
    });
    expect(await client.callTool(power)).toMatchObject({ isError: false, structuredContent: { bytes: 5 } });
    for (const words of [
      "sys.power waits for your approval",
      "the new kernel needs it",
      "Will change: the system reboots",
      "Cannot be taken back: what is not written is lost",
    ])
      expect(asked).toContain(words);
    expect(decision()).toMatchObject({ call: "0badcafe-call-18", approve: true, reason: "go on", person: { name: "operator" } });
    await client.close();
  });

  test.each([
    ["says no", { action: "accept", content: { approve: false } }],
    ["declines to answer", { action: "decline" }],
  ] as const)("is declined when the person %s", async (_, said) => {
    const client = await connected({ says: () => said });
    expect(await client.callTool(power)).toMatchObject({ isError: true });
    expect(decision()).toMatchObject({ call: "0badcafe-call-18", approve: false });
    await client.close();
  });

  test("goes on waiting when the question is put away, or when the client cannot ask", async () => {
    const before = decision();
    const client = await connected({ says: () => ({ action: "cancel" }) });
    expect(await client.callTool(power)).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("goes on waiting") }] });
    await client.close();
    const mute = await connected();
    expect(await mute.callTool(power)).toMatchObject({ isError: true, content: [{ text: "sys.power waits for a person" }] });
    await mute.close();
    expect(decision()).toBe(before);
  });

  test("cannot be decided with a state that was not given out here", async () => {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "forger", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
    };
    const body = {
      ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
      params: {
        ...power,
        _meta,
        requestState: "v1.e30.AAAA",
        inputResponses: { approval: { action: "accept", content: { approve: true } } },
      },
    };
    const headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "sys.power",
    };
    const before = world.broker?.calls.length;
    const answer = await (await world.get("/mcp", { method: "POST", headers, body: JSON.stringify(body) })).text();
    expect(answer).toContain("-32602");
    expect(world.broker?.calls.length).toBe(before);
  });
});

test("only local names lead here, and a large message is refused", async () => {
  const ask = (headers: Record<string, string>, body = "{}") =>
    world.get("/mcp", {
      method: "POST",
      body,
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    });
  expect((await ask({ origin: "https://evil.example" })).status).toBe(403);
  expect(
    (await ask({}, JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: { x: "y".repeat(300 * 1024) } }))).status,
  ).toBe(413);
  expect((await ask({}, "{")).status).toBe(400);
  expect((await world.get("/mcp")).status).toBe(405);
});

test("a broker that is away is an error of the protocol, and nothing hangs", async () => {
  const alone = await startWorld({ broker: false });
  try {
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(
      new StreamableHTTPClientTransport(new URL("http://aios/mcp"), { fetch: (url, init) => fetch(url, { ...init, unix: alone.socket }) }),
    );
    await expect(client.listTools()).rejects.toThrow("the broker is away");
    await client.close();
  } finally {
    await alone.close();
  }
});
