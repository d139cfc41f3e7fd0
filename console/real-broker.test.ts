/** The whole way: aiosctl, the console, a real broker that allows everything or asks for approval. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Subprocess } from "bun";
import { startWorld, type World } from "./testing/world.ts";

let world: World;
let broker: Subprocess<"ignore", "pipe", "inherit">;
let work: string;

async function startBroker(authority: string): Promise<void> {
  const serve = join(import.meta.dir, "../tools/testing/serve.ts");
  broker = Bun.spawn([process.execPath, serve, dirname(world.folder), "--authority", authority], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  for await (const chunk of broker.stdout) if (new TextDecoder().decode(chunk).includes("ready")) break;
  while (!(await world.get("/v1/tools")).ok) await Bun.sleep(20);
}

async function stopBroker(): Promise<void> {
  broker.kill("SIGKILL");
  await broker.exited;
  while ((await world.get("/v1/tools")).ok) await Bun.sleep(20);
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "aiosctl/main.tsx"), ...args], {
    env: { PATH: process.env["PATH"] ?? "", AIOS_SOCKET: world.socket },
    ...({ stdin: "ignore", stdout: "pipe", stderr: "pipe" } as const),
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

beforeAll(async () => {
  world = await startWorld({ broker: false });
  work = join(dirname(world.folder), "work");
  mkdirSync(work);
  await startBroker("allow");
}, 60_000);
afterAll(async () => {
  await stopBroker();
  await world.close();
});

const idIn = (text: string): string => /[0-9a-f]{8}-call-[0-9]+/.exec(text)?.[0] ?? "none";

test("a file is written, looked up in the audit, taken back, and the chain is whole", async () => {
  const path = join(work, "page");
  writeFileSync(path, "before");
  const written = await run(
    "call",
    "fs.write",
    "--json",
    JSON.stringify({ path, content: "after", how: "write" }),
    "--why",
    "the page was wrong",
  );
  expect([written.code, readFileSync(path, "utf8")]).toEqual([0, "after"]);
  const id = idIn(written.out);
  expect((await run("audit", "--resource", path)).out).toContain("the page was wrong");
  expect((await run("audit", "--text", "page wrong", "--tool", "fs.*")).out).toContain(id);
  expect((await run("audit", "show", id)).out).toMatch(/by +person:operator[\s\S]*intent[\s\S]*image[\s\S]*outcome/);
  expect((await run("undo", "--plan", id)).code).toBe(0);
  const undone = await run("undo", id, "--why", "it was right");
  expect([undone.out.startsWith("● done"), undone.code]).toEqual([true, 0]);

  expect(readFileSync(path, "utf8")).toBe("before");
  expect((await run("undo", id, "--why", "again")).err).toContain("was taken back already");
  const verified = await run("audit", "verify");
  expect([verified.code, verified.out.startsWith("● whole")]).toEqual([0, true]);
  const exported = (await run("audit", "--export", "--call", id)).out.trim().split("\n");
  expect(exported.map((line) => JSON.parse(line).kind)).toEqual(["outcome", "image", "intent"]);
}, 60_000);

test("what does not fit or is not there is said, and changes nothing", async () => {
  const bad = await run("call", "fs.write", "--json", '{"path":"relative","content":"x"}', "--why", "w");
  expect([bad.code, bad.out.startsWith("● invalid") || bad.out.startsWith("● failed")]).toEqual([1, true]);
  expect((await run("call", "no.such", "--why", "w")).code).toBe(1);
  expect((await run("tools", "no.such")).err).toContain('there is no tool "no.such"');
  const preview = await run(
    "call",
    "fs.write",
    "--json",
    JSON.stringify({ path: join(work, "none"), content: "x", how: "write" }),
    "--why",
    "w",
    "--dry-run",
  );
  expect([preview.code, preview.out.startsWith("● previewed"), existsSync(join(work, "none"))]).toEqual([0, true, false]);
}, 60_000);

test("an MCP client sees every tool, and the answers fit the schemas that it checks them with", async () => {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: "auto" } });
  const fetchOver = (url: string | URL, init?: RequestInit): Promise<Response> => fetch(url, { ...init, unix: world.socket });
  await client.connect(new StreamableHTTPClientTransport(new URL("http://aios/mcp"), { fetch: fetchOver }));
  const names: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page: { tools: { name: string }[]; nextCursor?: string | undefined } = await client.listTools(
      cursor === undefined ? {} : { cursor },
    );
    names.push(...page.tools.map(({ name }) => name));
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  const all: unknown = await (await world.get("/v1/tools")).json();
  expect(names).toEqual((all as { name: string }[]).map(({ name }) => name));
  const stat = await client.callTool({ name: "fs.stat", arguments: { path: work }, _meta: { "aios/reason": "to look" } });
  expect(stat).toMatchObject({ isError: false, structuredContent: { path: work, type: "directory" } });
  expect(await client.callTool({ name: "fs.stat", arguments: { path: "relative" } })).toMatchObject({ isError: true });
  await client.close();
}, 60_000);

test("a call that waits is approved by a person and then made; another is declined and never made", async () => {
  await stopBroker();
  await startBroker("approval");
  const path = join(work, "asked");
  const call = (name: string) =>
    run("call", "fs.write", "--json", JSON.stringify({ path: `${path}-${name}`, content: "yes", how: "write" }), "--why", "may I");
  const [one, two] = [await call("one"), await call("two")];
  expect([one.code, two.code]).toEqual([5, 5]);
  expect((await run("approvals")).out).toContain(`${path}-one`);
  expect((await run("approve", idIn(one.out), "--why", "you may")).code).toBe(0);
  expect((await run("decline", idIn(two.out), "--why", "you may not")).code).toBe(0);
  expect([existsSync(`${path}-one`), existsSync(`${path}-two`)]).toEqual([true, false]);
  expect((await run("approve", idIn(one.out), "--why", "again")).code).toBe(1);
  const waiting = run(
    "call",
    "fs.write",
    "--json",
    JSON.stringify({ path: `${path}-three`, content: "yes", how: "write" }),
    "--why",
    "may I",
    "--wait",
    "1m",
  );
  let asked: string | null = null;
  for (let tries = 0; asked === null && tries < 200; tries += 1) {
    const { out } = await run("--json", "approvals");
    asked = (JSON.parse(out) as { call: string }[])[0]?.call ?? null;
  }
  expect((await run("approve", asked ?? "none", "--why", "go on")).code).toBe(0);
  expect([(await waiting).code, existsSync(`${path}-three`)]).toEqual([0, true]);
}, 120_000);

test("with the real policies: an admin grants and revokes, and everything is on record", async () => {
  await stopBroker();
  await startBroker("policies");
  const given = await run(
    "grant",
    "tier:tactical",
    "--tools",
    "fs.write",
    "--on",
    "path:/srv/www",
    "--for",
    "2h",
    "--calls",
    "10",
    "--why",
    "web pages",
  );
  expect([given.out, given.code]).toEqual([expect.stringContaining("● done  sec.grant"), 0]);
  const listed = await run("grants");
  const id = /grant-[0-9]+/.exec(listed.out)?.[0] ?? "none";
  expect(listed.out).toMatch(/grant-[0-9]+ +tier:tactical +active +in .* 0\/10 +fs\.write \(reversible\) +path:\/srv\/www +web pages/);
  expect((await run("revoke", id, "--why", "no more")).code).toBe(0);
  expect((await run("grants")).out).toBe("no grants\n");
  expect((await run("revoke", id, "--why", "again")).code).toBe(1);
  expect((await run("audit", "--tool", "sec.*")).out).toMatch(/sec\.revoke[\s\S]*sec\.grant/);
  expect((await run("policies")).out).toContain("permit");
}, 60_000);

test("a document is added, found, edited here and by an editor, brought back, taken back, and its versions tell all of it", async () => {
  const file = join(work, "nginx.md");
  const page = (step: string): string => `---\ntitle: nginx\nkind: playbook\nsummary: What helps nginx.\n---\n## Steps\n1. ${step}\n`;
  const id = "playbooks/nginx";
  writeFileSync(file, page("Look at its zebra log."));
  expect(await run("knowledge", "add", file, "--why", "it helped")).toMatchObject({ code: 0 });
  const found = await run("knowledge", "search", "where", "is", "the", "zebra");
  expect(found.out).toMatch(/^playbooks\/nginx {2}Steps[\s\S]*zebra log[\s\S]*by word, place 1: zebra/);
  writeFileSync(file, page("Look at its settings."));
  const edited = await run("knowledge", "edit", id, "--file", file, "--why", "the log says nothing");
  expect(edited.code).toBe(0);
  expect((await run("knowledge", "show", id)).out).toContain("Look at its settings.");
  expect((await run("knowledge", "show", id, "--version", "1", "--section", "steps")).out).toContain("zebra");
  const command = [process.execPath, join(import.meta.dir, "aiosctl/main.tsx"), "knowledge", "edit", id, "--why", "by-hand"].join(" ");
  const editing = Bun.spawn(["script", "-qec", command, "/dev/null"], {
    env: { PATH: process.env["PATH"] ?? "", AIOS_SOCKET: world.socket, EDITOR: "sed -i s/settings/sockets/" },
    ...({ stdin: "ignore", stdout: "pipe", stderr: "pipe" } as const),
  });
  expect([await editing.exited, await new Response(editing.stdout).text()]).toEqual([0, expect.stringContaining("done")]);
  expect((await run("knowledge", "show", id)).out).toContain("Look at its sockets.");
  expect((await run("knowledge", "edit", id, "--version", "1", "--why", "the first was best")).code).toBe(0);
  expect((await run("undo", idIn(edited.out), "--plan")).code).not.toBe(0); // later versions stand against it
  const history = await run("knowledge", "history", id);
  expect(history.out).toMatch(
    /\* 4 .*brought-back 1 .*the first was best[\s\S]*3 .*by-hand[\s\S]*2 .*the log says nothing[\s\S]*1 .*it helped/,
  );
  expect((await run("knowledge", "list", "playbooks/")).out).toContain("What helps nginx.");
  expect((await run("--json", "knowledge", "list")).out).toContain('"document": "playbooks/nginx"');
  writeFileSync(file, page("x").replace("summary", "sumary"));
  const refused = await run("knowledge", "edit", id, "--file", file, "--why", "a slip");
  expect([refused.code, refused.out]).toEqual([1, expect.stringContaining('line 4, key "sumary": there is no such key')]);
  expect((await run("knowledge", "edit", id, "--reset", "--withdraw", "--why", "both")).code).toBe(2);
  expect((await run("knowledge", "edit", id, "--withdraw", "--why", "enough")).code).toBe(0);
  expect((await run("knowledge", "search", "zebra")).out).toContain("nothing was found");
}, 60_000);

test("memory from the command line: stored, found with the reason why, seen in its time, kept from being relied on", async () => {
  const text = "nginx stopped answering after the update; the old configuration helped";
  expect(await run("memory", "store", ...text.split(" "), "--lesson", "--service", "nginx", "--why", "worth knowing")).toMatchObject({
    code: 0,
  });
  const found = await run("memory", "search", "why", "did", "nginx", "not", "answer");
  expect(found.out).toContain(text);
  expect(found.out).toContain("lesson · nginx");
  const [{ memory }] = JSON.parse((await run("memory", "search", "nginx", "--json")).out).found;
  expect((await run("memory", "search", "nginx", "--service", "postgres")).out).toContain("nothing like that is remembered");
  expect((await run("memory", "timeline", "--around", memory.id)).out).toContain(`→ ${memory.id}`);
  expect((await run("memory", "show", memory.id)).out).toContain('"by": "person:');
  expect((await run("memory", "pin", memory.id, "--why", "not to be overlooked")).code).toBe(0);
  expect((await run("memory", "stats")).out).toContain("1 pinned");
  expect((await run("memory", "quarantine", memory.id, "--why", "it is not so")).code).toBe(0);
  expect((await run("memory", "search", "nginx")).out).toContain("nothing like that is remembered");
  expect((await run("memory", "show", memory.id)).out).toContain("in quarantine it is not so");
  expect(await run("memory", "timeline")).toMatchObject({ code: 2, err: expect.stringContaining("--around ID or --at TIME") });
  expect((await run("memory", "backup", "first", "--why", "to go back to")).code).toBe(0);
  expect((await run("memory", "backups", "--verify", "first")).out).toContain("it was read through, and is whole");
}, 60_000);

test("of a call whose broker goes away it is not known whether it was done: nobody is told to ask again", async () => {
  const asked = Promise.withResolvers<void>();
  const server = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    fetch: () => {
      asked.resolve();
      return new Promise<Response>(() => {});
    },
  });
  try {
    const calling = run("call", "net.http", "--json", JSON.stringify({ url: `http://127.0.0.1:${server.port}/` }), "--why", "to see");
    await Promise.race([asked.promise, calling.then(({ err, out }) => Promise.reject(new Error(`it ended too early: ${err}${out}`)))]);
    await stopBroker();
    const { code, err } = await calling;
    expect([code, err]).toEqual([1, expect.stringMatching(/whether it was done is not known[\s\S]*aiosctl audit/)]);
    expect(err).not.toContain("broker is away");
    expect((await run("call", "net.http", "--json", "{}", "--why", "to see")).err).toContain("the broker is away");
  } finally {
    await server.stop(true);
    await startBroker("allow");
  }
}, 60_000);

test("a model is fetched, verified, given to a tier, and one that does not load is taken back", async () => {
  const content = { good: Buffer.concat([Buffer.from("GGUF"), Buffer.alloc(100_000, "x")]), bad: Buffer.from("no model at all") };
  const server = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    fetch: (request) => new Response(content[new URL(request.url).pathname === "/good" ? "good" : "bad"]),
  });
  const image = join(dirname(world.folder), "image");
  mkdirSync(image, { recursive: true });
  const limits = { memory_share: 0.5, prompt_tokens_s_min: 1, tokens_s_min: 1, unmeasured_parameters_b_max: 1 };
  const models = (["good", "bad"] as const).map((name) => ({
    ...{ name: `${name}-f32`, title: name, roles: ["operational"], parameters_b: 0.1, quantisation: "F32" },
    sources: [`http://127.0.0.1:${server.port}/${name}`],
    size_bytes: content[name].length,
    sha256: new Bun.CryptoHasher("sha256").update(content[name]).digest("hex"),
    ...{ licence: "Apache-2.0", licence_url: null, context_tokens: 512, context_used_tokens: 512, kv_bytes_per_token: 1 },
    ...{ vocabulary_tokens: 259, chat_format: "chatml" },
  }));
  const choice = { operational: limits, tactical: limits };
  writeFileSync(join(image, "catalogue.yaml"), JSON.stringify({ version: 1, redirect_hosts: [], choice, models }));
  try {
    expect((await run("model", "list")).out).toMatch(/good-f32 +operational +98 KiB .* no +– +Apache-2\.0/);
    const pulled = await run("model", "pull", "good-f32", "--why", "to think");
    expect([pulled.code, pulled.err]).toEqual([0, ""]);
    expect(await run("model", "pull", "bad-f32", "--why", "to see")).toMatchObject({ code: 0 });
    expect((await run("model", "verify", "good-f32")).code).toBe(0);
    expect((await run("model", "use", "operational", "good-f32", "--why", "to think")).code).toBe(0);
    const refused = await run("model", "use", "operational", "bad-f32", "--why", "to see");
    expect([refused.code, refused.out]).toEqual([
      1,
      expect.stringContaining("it does not load: it is no GGUF file; the tier gets back the one"),
    ]);
    expect((await run("model", "list", "--here")).out).toContain("operational uses good-f32, pinned\n");
    expect((await run("model", "remove", "good-f32", "--why", "x")).out).toContain("it is used by operational");
    expect((await run("model", "use", "operational", "--none", "--why", "x")).code).toBe(0);
    expect((await run("model", "remove", "good-f32", "--why", "x")).code).toBe(0);
    expect((await run("model", "use", "operational", "--why", "x")).err).toContain("give the name of a model, or --none");
  } finally {
    await server.stop(true);
  }
}, 120_000);
