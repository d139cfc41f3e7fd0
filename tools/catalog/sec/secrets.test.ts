/** Where a value goes, and where it does not: a whole broker, everything it writes, everything it answers. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CallMeta, type CallResult } from "../../../contracts/tool.ts";
import type { OpenBroker } from "../../broker.ts";
import { tools_uid } from "../../exec/exec.ts";
import { authorityFor, openTestBroker } from "../../testing/open.ts";

const folder = mkdtempSync(join(tmpdir(), "secrets-"));
const value = "tr0ub4dor-and-3-more-words";
const second = "another-value-of-the-same-secret";
const values = [value, second];
const said: string[] = [];
let broker: OpenBroker;

beforeAll(async () => {
  broker = await openTestBroker(folder, {
    authority: authorityFor("allow"),
    onOutcome: (outcome) => void said.push(JSON.stringify(outcome)),
  });
});
afterAll(async () => {
  await broker.close();
  rmSync(folder, { recursive: true, force: true });
});

async function call(tool: string, args: Record<string, unknown>, meta: Record<string, unknown> = {}): Promise<CallResult> {
  const request = {
    principal: "person:anna" as const,
    role: "admin" as const,
    owner: null,
    tool,
    arguments: args,
    undoes: null,
    redoes: null,
  };
  const result = await broker.calls.make({ ...request, meta: CallMeta.parse({ reason: { text: "the test" }, ...meta }) });
  said.push(JSON.stringify(result));
  return result;
}

async function done(tool: string, args: Record<string, unknown>, meta: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const { _meta, structuredContent } = await call(tool, args, meta);
  if (_meta.status !== "done") throw new Error(`${tool} ended as ${_meta.status}: ${_meta.text}`);
  return structuredContent ?? {};
}

/** As it is and as it is often written. */
function forms(text: string): string[] {
  const bytes = Buffer.from(text);
  const hash = createHash("sha256").update(text).digest("hex");
  return [text, bytes.toString("base64").slice(0, -4), bytes.toString("hex"), hash];
}

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** @param but a folder that holds what was handed out */
function expectNowhere(but: string | null): void {
  for (const file of filesBelow(folder)) {
    if (but !== null && file.startsWith(but)) continue;
    const content = readFileSync(file, "latin1");
    for (const one of values.flatMap(forms)) expect(content.includes(one), `${file} holds "${one}"`).toBe(false);
  }
  for (const text of said) for (const one of values.flatMap(forms)) expect(text.includes(one), text.slice(0, 500)).toBe(false);
}

const show = ["/bin/sh", "-c", 'cat /run/secrets/db; printf %s "$DB" | base64; stat -c "%a %u" /run/secrets/db; ls -A /run/secrets'];
const sleeps = ["/bin/sleep", "1"];

test("put, handed to a service, a program and a host, rotated, failed, deleted: nowhere on the disk, in no answer", async () => {
  const asked: IncomingMessage["headers"][] = [];
  const echo = createServer((request, response) => {
    asked.push(request.headers);
    response.setHeader("x-echo", request.headers.authorization ?? "");
    response.end(JSON.stringify({ you: request.headers, base64: Buffer.from(request.headers.authorization ?? "").toString("base64") }));
  });
  await new Promise<void>((listening) => echo.listen(0, "127.0.0.1", listening));
  const { port } = echo.address() as AddressInfo;
  const uses = [
    { to: "program", argv: show },
    { to: "host", host: "127.0.0.1", port },
    { to: "service", service: "web", argv: sleeps },
  ];
  try {
    for (const bad of [
      { name: "A" },
      { value: [value] },
      { value: { text: value } },
      { valeu: value },
      { generate: {} },
      { uses: [{ to: value }] },
    ])
      expect((await call("sec.secret_put", { name: "db", value, uses, ...bad }))._meta.status).toMatch(/^(invalid|failed)$/);
    await call("sec.secret_put", { name: "db", value, uses }, { dry_run: true });
    await done("sec.secret_put", { name: "db", value, uses }, { key: "once" });
    expect(await done("sec.secret_put", { name: "db", value, uses }, { key: "once" })).toMatchObject({ version: 1 }); // the first answer
    await done("service.define", { name: "web", argv: sleeps, secrets: ["db"] });
    const handed = join(folder, "run/secrets/web/db");
    expect(readFileSync(handed, "utf8")).toBe(value);
    expect(statSync(handed)).toMatchObject({ mode: 0o100400, uid: 20_000 });

    const ran = await done("process.spawn", { argv: show, secrets: [{ name: "db" }, { name: "db", variable: "DB" }] });
    // of base64 the signs at its end hang on what stands after it
    expect(ran["stdout"]).toMatch(new RegExp(`^\\[secret\\]\\[secret\\].{0,4}\\n400 ${tools_uid}\\ndb\\n$`));
    expect(readdirSync(join(folder, "run/secrets/.calls"))).toEqual([]);

    const got = await done("net.http", {
      url: `http://127.0.0.1:${port}/`,
      secret_headers: [{ header: "Authorization", secret: "db", prefix: "Bearer " }],
    });
    expect(asked[0]?.authorization).toBe(`Bearer ${value}`);
    expect(got["headers"]).toMatchObject({ "x-echo": "Bearer [secret]" });
    expect(String(got["body"])).toContain("Bearer [secret]");

    await done("sec.secret_rotate", { name: "db", value: second, restart: true });
    expect(readFileSync(handed, "utf8")).toBe(second);
    expect((await call("sec.secret_rotate", { name: "db", value, generate: { length: 3 } }))._meta.status).toBe("invalid");
    expectNowhere(join(folder, "run/secrets"));

    await done("sec.secret_delete", { name: "db" });
    expect(existsSync(handed)).toBe(false);
    await done("service.remove", { name: "web" });
    expectNowhere(null);
  } finally {
    echo.close();
  }
}, 60_000);

test("a key of a model reaches the folder of its tier, follows what becomes of it, and is nowhere else", async () => {
  const key_folder = join(folder, "run/secrets/strategic");
  mkdirSync(key_folder, { recursive: true });
  chownSync(key_folder, 805, 805);
  const held = (): string[] => readdirSync(key_folder);
  const uses = [{ to: "tier", tier: "strategic" }];
  expect((await call("sec.secret_put", { name: "claude", value, uses: [{ to: "tier", tier: "tactical" }] }))._meta.status).toBe("invalid");
  const put = await call("sec.secret_put", { name: "claude", value, uses });
  expect(readFileSync(join(key_folder, "claude"), "utf8")).toBe(value);
  expect(statSync(join(key_folder, "claude"))).toMatchObject({ mode: 0o100400, uid: 805, gid: 805 });
  await done("sec.secret_put", { name: "other", value, uses: [{ to: "program", argv: show }] });
  expect(held()).toEqual(["claude"]);
  await done("sec.secret_rotate", { name: "claude", value: second });
  expect(readFileSync(join(key_folder, "claude"), "utf8")).toBe(second);
  expectNowhere(join(folder, "run/secrets"));
  await done("sec.secret_put", { name: "claude", uses: [] });
  expect(held()).toEqual([]);
  await done("sec.secret_put", { name: "claude", uses });
  await broker.close();
  rmSync(join(key_folder, "claude"));
  broker = await openTestBroker(folder, {
    authority: authorityFor("allow"),
    onOutcome: (outcome) => void said.push(JSON.stringify(outcome)),
  });
  expect(readFileSync(join(key_folder, "claude"), "utf8")).toBe(second);
  expect(put._meta.status).toBe("done");
  await done("sec.secret_delete", { name: "claude" });
  await done("sec.secret_delete", { name: "other" });
  expect(held()).toEqual([]);
  rmSync(key_folder, { recursive: true });
  expectNowhere(null);
}, 60_000);

test("a call that waits for a person holds its value in memory alone, and is made with it", async () => {
  const waiting = await openTestBroker(join(folder, "waiting"), { authority: authorityFor("approval") });
  try {
    const request = { principal: "tier:tactical" as const, role: null, owner: null, tool: "sec.secret_put", undoes: null, redoes: null };
    const meta = CallMeta.parse({ reason: { text: "the test" } });
    const asked = await waiting.calls.make({ ...request, arguments: { name: "db", value }, meta });
    expect(asked._meta.status).toBe("waiting");
    said.push(JSON.stringify([asked, waiting.approvals.list(true), waiting.audit.ofCall(asked._meta.call)]));
    expectNowhere(null);
    const made = await waiting.calls.decide(asked._meta.call, true, "person:anna", "yes", "admin");
    expect(made._meta.status).toBe("done");
    expect(waiting.vault.value({ kind: "secret", name: "db" }).toString()).toBe(value);
    said.push(JSON.stringify([made, waiting.audit.ofCall(asked._meta.call)]));
    expectNowhere(null);
  } finally {
    await waiting.close();
  }
});

test("an undo brings the earlier version back exactly, and no earlier than that", async () => {
  await done("sec.secret_put", { name: "token", value });
  const before = readFileSync(join(folder, "data/broker/vault/secret/token.json"));
  const { _meta } = await call("sec.secret_rotate", { name: "token" });
  expect(broker.vault.value({ kind: "secret", name: "token" }).toString()).not.toBe(value);
  const { outcomes } = await broker.undo.run(
    { call: _meta.call },
    { principal: "person:anna", role: "admin", owner: null },
    CallMeta.parse({ reason: { text: "back" } }).reason,
    broker.calls,
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["done"]);
  expect(readFileSync(join(folder, "data/broker/vault/secret/token.json"))).toEqual(before);
  expectNowhere(null);
});

test("a value that cannot be a variable or a header is refused without being shown", async () => {
  await done("sec.secret_put", {
    name: "bytes",
    value: Buffer.from([0, 1, 2, 255]).toString("base64"),
    encoding: "base64",
    uses: [
      { to: "program", argv: sleeps },
      { to: "host", host: "127.0.0.1", port: 9 },
    ],
  });
  const spawned = await call("process.spawn", { argv: sleeps, secrets: [{ name: "bytes", variable: "B" }] });
  expect(spawned._meta.text).toContain('handing the secret "bytes" over in a variable failed: it is no text');
  const sent = await call("net.http", { url: "http://127.0.0.1:9/", secret_headers: [{ header: "x", secret: "bytes" }] });
  expect(sent._meta.text).toContain('sending the secret "bytes" as x failed: it is not printable ASCII');
  const far = await call("net.http", { url: "http://192.0.2.1/", secret_headers: [{ header: "x", secret: "bytes" }] });
  expect(far._meta.text).toContain("secrets are sent over https only");
  const loader = await call("process.spawn", { argv: sleeps, secrets: [{ name: "bytes", variable: "LD_PRELOAD" }] });
  expect(loader._meta.text).toContain('setting the variable "LD_PRELOAD" failed');
});
