import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { status as base, services } from "../testing/records.ts";
import { startWorld, type World } from "../testing/world.ts";
import { Client } from "./client.ts";
import { ansiPaint } from "./text/style.ts";
import { frame } from "./watch/frame.ts";
import { emptyModel, sample } from "./watch/model.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => await world.close());

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.tsx"), ...args], {
    env: { PATH: process.env["PATH"] ?? "", AIOS_SOCKET: world.socket },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

const looking = ["status", "boot", "services", "ps", "hw", "logs", "events", "decisions", "why 0badcafe-init-3"];
const of_broker = [
  "tools",
  "tools fs.write",
  "audit",
  "audit verify",
  "audit show 0badcafe-call-17",
  "undo --plan 0badcafe-call-17",
  "policies",
  "call fs.write --why test",
  "cancel 0badcafe-call-17 --why test",
];
for (const command of [...looking, ...of_broker]) {
  test(`${command}: what a person reads, without colour when piped`, async () => {
    const { code, out, err } = await run(...command.split(" "));
    expect([code, err]).toEqual([0, ""]);
    expect(out).not.toContain("\u001b");
    expect(out).toMatchSnapshot();
  });
  test(`${command} --json is JSON`, async () => {
    const { code, out } = await run("--json", ...command.split(" "));
    expect(code).toBe(0);
    const streamed = ["logs", "events", "decisions", "audit"].includes(command);
    for (const part of streamed ? out.trim().split("\n") : [out]) expect(typeof JSON.parse(part)).toBe("object");
  });
}

test("reboot --kexec asks for the kernel without the firmware", async () => {
  expect((await run("reboot", "--kexec", "--why", "a test")).out).toBe("kexec: accepted; the services stop now\n");
  expect(world.system.init.calls.at(-1)?.params).toMatchObject({ action: "kexec" });
  expect((await run("reboot", "--why", "a test")).code).toBe(0);
  expect(world.system.init.calls.at(-1)?.params).toMatchObject({ action: "reboot" });
});

test("exit codes", async () => {
  expect((await run("restart", "memory", "--why", "a test")).code).toBe(0);
  expect((await run("stop", "memory", "--why", "a test")).code).toBe(0);
  const unknown = await run("restart", "nope", "--why", "a test");
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("\n  do: aiosctl services lists what there is\n")]);
  expect((await run("why", "nothing")).code).toBe(1);
  expect((await run("bogus")).code).toBe(2);
  expect((await run("restart", "memory")).code).toBe(2);
  expect((await run("events", "-n", "0")).code).toBe(2);
  const lost = await run("status", "--socket", "/nowhere/sock");
  expect([lost.code, lost.err]).toEqual([
    3,
    'aiosctl: reaching the console at "/nowhere/sock" failed: there is no such socket; is the system running? Say where with --socket PATH or AIOS_SOCKET\n',
  ]);
  expect((await run("status", "--check")).code).toBe(0);
  const { answers } = world.system.init;
  const before = answers["service.list"];
  Object.assign(answers, { "service.list": () => [] as const, "system.status": () => ({ ...status(), state: "degraded" }) });
  expect((await run("status", "--check")).code).toBe(4);
  Object.assign(answers, { "service.list": before, "system.status": status });
}, 30_000);

test("a service that runs and is not well is named by status", async () => {
  const { answers } = world.system.init;
  const before = answers["service.list"];
  const detail = "the disk is full: nothing is written";
  Object.assign(answers, {
    "service.list": () =>
      services.map((one) =>
        one.name === "memory" && one.health !== null ? { ...one, health: { ...one.health, status: "degraded", detail } } : one,
      ),
  });
  const [told, checked] = [await run("status"), await run("status", "--check")];
  Object.assign(answers, { "service.list": before });
  expect(told.out).toContain(`▲ memory is degraded  ${detail}`);
  expect([told.code, checked.code]).toEqual([0, 4]);
}, 30_000);

test("the options that all commands share may come after the command", async () => {
  expect(JSON.parse((await run("services", "--json")).out)).toHaveLength(7);
  expect(JSON.parse((await run("audit", "verify", "--json")).out)).toMatchObject({ whole: true });
  expect((await run("audit", "verify", "--socket", "/nowhere/sock")).code).toBe(3);
});

test.each([
  ["memory search nginx --limit abc", "a whole number from 1 to 50"],
  ["memory search nginx --limit 100000", "a whole number from 1 to 50"],
  ["memory timeline --around 0badcafe-init-3 --before -1", "a whole number from 0 to 100"],
  ["memory retention --steps 0", "a whole number from 1 to 200"],
  ["memory retention set --older-than 99999 --why test", "whole days from 1 to 36500"],
])("%s: what is wrong, and what to give", async (command, said) => {
  const { code, err } = await run(...command.split(" "));
  expect(code).toBe(2);
  expect(err).toContain(said);
});

test("call: arguments as JSON or from a file, reason and wishes reach the broker; what is wrong is said before anything is asked", async () => {
  const { code, out } = await run(
    "call",
    "fs.write",
    "--json",
    '{"path":"/srv/x","text":"t"}',
    "--why",
    "a test",
    "--dry-run",
    "--wait",
    "2m",
    "--event",
    "0badcafe-init-3",
  );
  expect([code, out.startsWith("● done  fs.write in 4 ms")]).toEqual([0, true]);
  const made = () => world.broker?.calls.findLast(({ method }) => method === "tools/call")?.params;
  expect(made()).toMatchObject({
    name: "fs.write",
    arguments: { path: "/srv/x", text: "t" },
    _meta: { reason: { text: "a test", event: "0badcafe-init-3" }, dry_run: true, wait_ms: 120_000 },
  });
  const file = join(world.folder, "arguments.json");
  await Bun.write(file, '{"path":"/from/a/file"}');
  expect((await run("call", "fs.write", "--file", file, "--why", "w", "--key", "once")).code).toBe(0);
  expect(made()).toMatchObject({ arguments: { path: "/from/a/file" }, _meta: { key: "once" } });
  expect(JSON.parse((await run("--json", "call", "fs.write", "--json", "{}", "--why", "w")).out)).toMatchObject({ isError: false });
  const asked = world.broker?.calls.length;
  for (const wrong of [
    ["fs.write"],
    ["fs.write", "--why", "w", "--json", "{"],
    ["fs.write", "--why", "w", "--json", "[]"],
    ["fs.write", "--why", "w", "--json", "{}", "--file", file],
    ["fs.write", "--why", "w", "--file", "/no/such/file"],
    ["fs.write", "--why", "w", "--wait", "soon"],
  ])
    expect((await run("call", ...wrong)).code).toBe(2);
  expect(world.broker?.calls.length).toBe(asked);
});

test("a call that waits ends with 5 and says how to decide; deciding says how it ended", async () => {
  const waiting = await run("call", "sys.power", "--json", '{"action":"reboot"}', "--why", "w");
  expect([waiting.code, waiting.out.includes("aiosctl approve 0badcafe-call-18")]).toEqual([5, true]);
  const approvals = await run("approvals");
  for (const words of [
    "● waiting  sys.power  irreversible",
    "the new kernel needs it",
    "will change the system reboots",
    "for good    what is not written is lost",
    "from outside /action",
    "it would not say no package was changed today: look at who asked for a reboot (claude-test, which has read text from outside)",
  ])
    expect(approvals.out).toContain(words);
  expect((await run("approve", "0badcafe-call-18", "--why", "go")).code).toBe(0);
  expect(world.broker?.calls.at(-1)?.params).toMatchObject({ call: "0badcafe-call-18", approve: true, reason: "go" });
  expect((await run("decline", "0badcafe-call-18", "--why", "no")).code).toBe(0);
  expect((await run("approve", "0badcafe-call-18")).code).toBe(2);
  expect((await run("approve", "0badcafe-call-99", "--why", "go")).code).toBe(1);
});

test("undo wants one target and a reason", async () => {
  for (const wrong of [
    ["--why", "w"],
    ["0badcafe-call-17"],
    ["0badcafe-call-17", "--group", "g", "--why", "w"],
    ["--since", "soon", "--why", "w"],
  ])
    expect((await run("undo", ...wrong)).code).toBe(2);
  expect((await run("undo", "--group", "g", "--why", "w")).code).toBe(0);
  expect(world.broker?.calls.at(-1)?.params).toMatchObject({ target: { group: "g" }, reason: { text: "w" } });
  await run("undo", "--since", "2026-02-03T04:05", "--why", "w");
  expect(world.broker?.calls.at(-1)?.params).toMatchObject({ target: { since_ms: Date.UTC(2026, 1, 3, 4, 5) } });
});

test("audit: filters reach the broker, an export is JSON lines, a broken chain ends with 1", async () => {
  await run("audit", "--tool", "fs.*", "--status", "done", "--since", "2026-02-03", "--text", "wrong page", "-n", "7");
  expect(world.broker?.calls.findLast(({ method }) => method === "audit/query")?.params).toMatchObject({
    query: { tool: "fs.*", status: "done", since_ms: Date.UTC(2026, 1, 3), text: "wrong page" },
  });
  const exported = (await run("audit", "--export")).out.trim().split("\n");
  expect(exported.map((line) => JSON.parse(line).seq)).toEqual([4, 3, 2, 1]);
  expect((await run("audit", "--status", "maybe")).code).toBe(2);
  const { broker } = world;
  if (broker === null) throw new Error("this test needs a broker");
  const answers = { ...broker.answers };
  Object.assign(broker.answers, {
    "audit/verify": () => ({ whole: false, entries: 4, head: "0".repeat(64), faults: [{ seq: 3, what: "it was changed" }], took_ms: 1 }),
  });
  const broken = await run("audit", "verify");
  Object.assign(broker.answers, answers);
  expect([broken.code, broken.out.includes("#3  it was changed")]).toEqual([1, true]);
});

test("grants", async () => {
  const { out } = await run("grants");
  for (const words of ["grant-3", "tier:tactical", "fs.* (reversible)", "path:/srv/www", "2/10", "web-setup", "set the web server up"])
    expect(out).toContain(words);
});

test("grant and revoke are calls of tools", async () => {
  const grant = [
    "grant",
    "tier:tactical",
    "--tools",
    "fs.*",
    "net.dns",
    "--on",
    "path:/srv/www",
    "port:tcp:443",
    "--for",
    "2h",
    "--calls",
    "10",
    "--why",
    "web pages",
  ];
  expect((await run(...grant)).code).toBe(0);
  const made = () => world.broker?.calls.findLast(({ method }) => method === "tools/call")?.params;
  expect(made()).toMatchObject({
    name: "sec.grant",
    arguments: {
      ...{
        principal: "tier:tactical",
        tools: ["fs.*", "net.dns"],
        risk: "reversible",
        calls_max: 10,
        expires_in_s: 7200,
        reason: "web pages",
      },
      resources: [
        { kind: "path", id: "/srv/www" },
        { kind: "port", id: "tcp:443" },
      ],
    },
    _meta: { reason: { text: "web pages" } },
  });
  expect((await run("revoke", "grant-3", "--why", "no more")).code).toBe(0);
  expect(made()).toMatchObject({ name: "sec.revoke", arguments: { grant: "grant-3" } });
  for (const wrong of [
    ["--on", "nothing"],
    ["--on", "path:"],
    ["--on", "path:/x", "--risk", "some"],
    ["--on", "path:/x", "--for", "ever"],
  ])
    expect((await run("grant", "tier:tactical", "--tools", "fs.*", ...wrong, "--why", "w")).code).toBe(2);
});

test("help names the exit codes; completion is there for three shells and knows services", async () => {
  expect((await run("--help")).out).toContain("3  the console cannot be reached");
  expect((await run("model", "pull", "--help")).out).toContain("Usage: aiosctl model pull [options] --why <text> <name>\n");
  for (const shell of ["bash", "zsh", "fish"]) expect((await run("complete", shell)).out).toContain("aiosctl complete --");
  expect((await run("complete", "--", "restart", "")).out).toContain("reactive");
  expect((await run("complete", "--", "call", "")).out).toContain("fs.write");
  expect((await run("complete", "--", "approve", "")).out).toContain("0badcafe-call-18");
  expect((await run("complete", "--", "audit", "")).out).toContain("verify");
  expect((await run("complete", "--", "audit", "--status", "")).out).toContain("uncertain");
});

test("a followed stream ends cleanly on Ctrl-C", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.tsx"), "events", "-f", "-n", "1"], {
    env: { AIOS_SOCKET: world.socket },
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGINT");
  expect(await child.exited).toBe(0);
  expect(await new Response(child.stderr).text()).toBe("");
});

test("the live view fits 80 × 24 and smaller, and shows services, tiers, decisions and events", async () => {
  const model = emptyModel();
  await sample(new Client(world.socket), model);
  for await (const one of new Client(world.socket).stream("events")) model.events = [...model.events, one];
  for (const size of [
    { columns: 80, rows: 24 },
    { columns: 40, rows: 12 },
  ]) {
    const lines = frame(model, size, ansiPaint);
    expect(lines.length).toBeLessThanOrEqual(size.rows);
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(size.columns);
  }
  const text = Bun.stripANSI(frame(model, { columns: 80, rows: 24 }, ansiPaint).join("\n"));
  for (const word of ["running", "SERVICES", "memory", "TIERS", "tactical", "DECISIONS", "EVENTS", "killed by SIGKILL", "q quit"])
    expect(text).toContain(word);
});

function status() {
  return structuredClone(base);
}

test("secret put: the value comes by stdin, without the line break at its end, and is in no argument and no answer", async () => {
  const value = "hunter2 and a half";
  const argv = [
    join(import.meta.dir, "main.tsx"),
    "secret",
    "put",
    "db",
    "--uses",
    '[{"to":"host","host":"example.org"}]',
    "--why",
    "a test",
  ];
  for (const [given, sent] of [
    [`${value}\n`, { value, encoding: "utf8" }],
    [Buffer.from([0xff, 0x00]), { value: "/wA=", encoding: "base64" }],
  ] as const) {
    const child = Bun.spawn([process.execPath, ...argv], {
      env: { PATH: process.env["PATH"] ?? "", AIOS_SOCKET: world.socket },
      stdin: Buffer.from(given),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect(await child.exited, err).toBe(0);
    expect(out + err).not.toContain(value);
    expect(world.broker?.calls.at(-1)?.params).toMatchObject({
      name: "sec.secret_put",
      arguments: { name: "db", ...sent, uses: [{ to: "host", host: "example.org" }] },
    });
  }
  expect((await run("secret", "put", "db", "--why", "nothing on stdin")).code).toBe(2);
  expect((await run("secret", "put", "db", "--uses", "{}", "--why", "a test")).code).toBe(2);
});

test("secret put on a terminal asks twice and shows nothing of it", async () => {
  const command = [process.execPath, join(import.meta.dir, "main.tsx"), "secret", "put", "db", "--why", "test"].join(" ");
  const child = Bun.spawn(["script", "-qec", command, "/dev/null"], {
    env: { PATH: process.env["PATH"] ?? "", AIOS_SOCKET: world.socket, TERM: "dumb" },
    stdin: "pipe",
    stdout: "pipe",
  });
  let shown = "";
  const asked = async (question: string): Promise<void> => {
    while (!shown.includes(question)) await Bun.sleep(10);
  };
  const reading = (async () => {
    for await (const chunk of child.stdout) shown += new TextDecoder().decode(chunk);
  })();
  await asked('value of "db": ');
  child.stdin.write("unseen-vaX\u007flue\r");
  await child.stdin.flush();
  await asked("once more: ");
  child.stdin.write("unseen-value\r");
  await child.stdin.flush();
  await reading;
  expect(await child.exited, shown).toBe(0);
  expect(shown).not.toContain("unseen");
  expect(world.broker?.calls.at(-1)?.params).toMatchObject({ arguments: { value: "unseen-value" } });
}, 30_000);
