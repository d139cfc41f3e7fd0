/** net.http and net.connect against real servers on loopback, plain and with TLS. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTls } from "node:https";
import { createServer as createRaw, type Server as RawServer } from "node:net";
import { join } from "node:path";
import { callTool, testPlaces } from "../../testing/context.ts";
import { connect } from "./connect.ts";
import { http } from "./http.ts";
import { authorityIn, type Certified } from "./testing/authority.ts";

setDefaultTimeout(60_000); // a machine may be busy
const tests = testPlaces();
const authority = authorityIn(tests.work);
const opened: (Server | RawServer)[] = [];
const asked: { readonly url: string; readonly headers: IncomingMessage["headers"]; readonly body: string }[] = [];

async function portOf(server: Server | RawServer): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const piece of request) body += String(piece);
  asked.push({ url: request.url ?? "", headers: request.headers, body });
  if (request.url === "/large") response.end("x".repeat(200_000));
  else if (request.url === "/binary") response.end(Buffer.from([0xff, 0xfe, 0]));
  else if (request.url === "/away") response.writeHead(302, { location: "https://elsewhere.example/next" }).end();
  else if (request.url === "/slow")
    response.write("begin"); // and never ends
  else if (request.url === "/missing") response.writeHead(404, { "x-what": "nothing" }).end("no such page");
  else response.end("hello");
}

const listener = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response);
let plain = 0;
beforeAll(async () => {
  plain = await portOf(createPlain(listener));
});
afterAll(() => {
  for (const server of opened) server.close();
  tests.remove();
});

const get = async (path: string, more: object = {}, port = plain) =>
  (await callTool(http, { url: `http://127.0.0.1:${port}${path}`, ...more }, tests.context())).output;

/** A program of its own, which trusts the test's authority from its start on. */
async function trusting(tool: "http" | "connect", input: object): Promise<Record<string, unknown>> {
  const from = (path: string): string => JSON.stringify(join(import.meta.dir, path));
  const source = `
    import { callTool, testPlaces } from ${from("../../testing/context.ts")};
    import { ${tool} } from ${from(`${tool}.ts`)};
    const tests = testPlaces();
    const told = await callTool(${tool}, ${JSON.stringify(input)}, tests.context()).then(({ output }) => output, (error) => ({ error: error.message }));
    tests.remove();
    console.log(JSON.stringify(told));
    process.exit(0);
  `;
  const file = join(tests.work, `${crypto.randomUUID()}.ts`);
  await Bun.write(file, source);
  const child = Bun.spawn([process.execPath, file], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: authority.file },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, said] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(said);
  return JSON.parse(out.trim().split("\n").at(-1) ?? "null");
}

const tlsPort = (certified: Certified): Promise<number> => portOf(createTls({ ...certified }, listener));
const why = async (url: string): Promise<string> =>
  callTool(http, { url }, tests.context()).then(
    () => "it was answered",
    (error: Error) => error.message,
  );

test("status, headers and body as they are", async () => {
  expect(await get("/")).toMatchObject({ status: 200, body: "hello", encoding: "text", size_bytes: 5, truncated: false, location: null });
  expect(await get("/missing")).toMatchObject({ status: 404, body: "no such page", headers: { "x-what": "nothing" } });
  expect(await get("/binary")).toMatchObject({ body: "//4A", encoding: "base64", size_bytes: 3 });
});

test("what is sent: method, body, headers, the authorization that is never written down", async () => {
  asked.length = 0;
  await get("/form?a=1", {
    method: "POST",
    body: "ä=1",
    headers: { "content-type": "text/plain", host: "evil.example" },
    authorization: "Bearer x",
  });
  expect(asked).toMatchObject([
    { url: "/form?a=1", body: "ä=1", headers: { host: `127.0.0.1:${plain}`, authorization: "Bearer x", "content-type": "text/plain" } },
  ]);
});

test("a large body is cut; a redirect is told and not followed", async () => {
  const large = await get("/large");
  expect([large.truncated, large.body.length]).toEqual([true, 60_000]);
  asked.length = 0;
  expect(await get("/away")).toMatchObject({ status: 302, location: "https://elsewhere.example/next" });
  expect(asked.map(({ url }) => url)).toEqual(["/away"]);
  const resources = async (url: string) => (await http.resolve(http.input.parse({ url }), tests.context())).resources;
  expect(await resources(`http://127.0.0.1:${plain}/`)).toMatchObject([
    { id: `127.0.0.1:${plain}`, access: "read", attributes: { reach: "loopback" } },
  ]);
});

test("an answer that does not end, that breaks off, or that is none", async () => {
  await expect(get("/slow", { timeout_ms: 300 })).rejects.toThrow("no whole answer within 300 ms");
  const raw = (bytes: string): Promise<number> =>
    portOf(createRaw((socket) => socket.once("data", () => socket.end(bytes)).on("error", () => {})));
  const breaks = await raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
  await expect(get("/", { timeout_ms: 5000 }, breaks)).rejects.toThrow(`requesting "http://127.0.0.1:${breaks}/" (127.0.0.1) failed: `);
  const nonsense = await raw("SSH-2.0-OpenSSH\r\n");
  await expect(get("/", { timeout_ms: 5000 }, nonsense)).rejects.toThrow("failed: ");
});

test("a header, an authorization or an address cannot bring lines of its own", () => {
  const fits = (more: object): boolean => http.input.safeParse({ url: "http://127.0.0.1/", ...more }).success;
  expect(fits({})).toBe(true);
  for (const more of [
    { headers: { "x-a": "1\r\nx-b: 2" } },
    { headers: { "x-a\r\nx-b": "1" } },
    { headers: { "x-a": "1\n" } },
    { authorization: "x\r\nx-b: 2" },
    { method: "GET / HTTP/1.1\r\nx" },
    { url: "gopher://127.0.0.1/" },
    { url: "file:///etc/passwd" },
  ])
    expect([more, fits(more)]).toEqual([more, false]);
});

test("TLS: a certificate that nobody known has signed is refused", async () => {
  const port = await tlsPort(authority.alone("alone", "DNS:localhost,IP:127.0.0.1"));
  expect(await why(`https://localhost:${port}/`)).toContain("self");
  expect(await why(`https://127.0.0.1:${port}/`)).toContain("self");
  const unknown = await tlsPort(authority.certify("unknown", "DNS:localhost"));
  expect(await why(`https://localhost:${unknown}/`)).toMatch(/unable to (verify|get)/);
  expect(await why(`https://127.0.0.1:${plain}/`)).toContain("failed: "); // no TLS at all
});

test("TLS: one of a known authority is answered, under its own name only", async () => {
  const port = await tlsPort(authority.certify("localhost", "DNS:localhost"));
  expect(await trusting("http", { url: `https://localhost:${port}/` })).toMatchObject({ status: 200, body: "hello" });
  const other = await tlsPort(authority.certify("other", "DNS:other.example"));
  expect((await trusting("http", { url: `https://localhost:${other}/` }))["error"]).toMatch(/altname|match/i);
  expect((await trusting("http", { url: `https://127.0.0.1:${port}/` }))["error"]).toMatch(/altname|match|list/i);
});

test("net.connect tells whether a certificate is trusted, and why not", async () => {
  const probe = { protocol: "tls", host: "localhost" };
  const port = await tlsPort(authority.certify("probed", "DNS:localhost"));
  const { output } = await callTool(connect, { ...probe, port }, tests.context());
  expect(output).toMatchObject({
    result: "connected",
    certificate: { subject: "CN=probed", trusted: false, why_not_trusted: expect.stringMatching(/\w/) },
  });
  expect(await trusting("connect", { ...probe, port })).toMatchObject({ certificate: { trusted: true, why_not_trusted: null } });
  const other = await tlsPort(authority.certify("elsewhere", "DNS:other.example"));
  expect(await trusting("connect", { ...probe, port: other })).toMatchObject({
    certificate: { trusted: false, why_not_trusted: expect.stringMatching(/\w/) },
  });
  const { output: none } = await callTool(connect, { ...probe, port: plain }, tests.context());
  expect(none).toMatchObject({ reached: true, result: "tls-failed", certificate: null });
});
