/**
 * The official conformance suite (`@modelcontextprotocol/conformance`) against the console's endpoint, for what is offered:
 * tools. Its other scenarios want prompts, resources, completion, or tools of the suite's own making.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startWorld, type World } from "../testing/world.ts";

const suite = join(import.meta.dir, "../../node_modules/@modelcontextprotocol/conformance/dist/index.js");

/** Scenarios, and the checks in them that cannot be made here, with the reason. */
const scenarios: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "server-initialize": {},
  ping: {},
  "tools-list": {},
  "server-stateless": {
    "sep-2575-server-rejects-undeclared-capability": "wants a tool named test_missing_capability",
    "sep-2575-missing-capability-http-400": "wants a tool named test_missing_capability",
  },
  "dns-rebinding-protection": {},
  "http-header-validation": {},
  caching: {
    "sep-2549-prompts-list-caching-hints": "there are no prompts",
    "sep-2549-resources-list-caching-hints": "there are no resources",
    "sep-2549-resources-templates-list-caching-hints": "there are no resources",
  },
  "input-required-result-unsupported-methods": {},
};

const Checks = z.array(z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }));

let world: World;
let door: Server;
let url: string;
/** The suite speaks TCP only: a door on loopback to the console's socket. */
beforeAll(async () => {
  world = await startWorld();
  door = createServer((client) => {
    const socket = connect(world.socket);
    client.pipe(socket).pipe(client);
    client.on("error", () => socket.destroy());
    socket.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  const address = door.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/mcp`;
});
afterAll(async () => {
  door.close();
  await world.close();
});

for (const [scenario, impossible] of Object.entries(scenarios))
  test(`${scenario}: every check but ${Object.keys(impossible).length} holds`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "conformance-"));
    const argv = [process.execPath, suite, "server", "--url", url, "--scenario", scenario, "--output-dir", folder];
    const child = Bun.spawn(argv, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
    await Promise.all([new Response(child.stdout).text(), child.exited]);
    const [written = "none"] = [...new Bun.Glob("**/checks.json").scanSync(folder)];
    const checks = Checks.parse(JSON.parse(readFileSync(join(folder, written), "utf8")));
    rmSync(folder, { recursive: true });
    expect(checks.some(({ status }) => status === "SUCCESS")).toBe(true);
    const failed = checks.filter(({ status }) => status === "FAILURE");
    expect(failed.filter(({ id }) => !Object.hasOwn(impossible, id))).toEqual([]);
    expect(new Set(failed.map(({ id }) => id))).toEqual(new Set(Object.keys(impossible)));
  }, 60_000);
