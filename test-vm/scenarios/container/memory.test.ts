/** What a running system remembers by itself, asked for from outside, in words. */

import { afterEach, expect, test } from "bun:test";
import type { Found } from "../../../contracts/memory/longterm.ts";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { readyAgain, serviceStatus } from "../expect.ts";

const started: Container[] = [];
afterEach(async () => {
  for (const container of started.splice(0)) await container.kill();
});

test("a service that was killed and a file that was changed are found in words, with what came of it, after memory itself was killed", async () => {
  const container = await startContainer({ data: newFolder("data") });
  started.push(container);
  await container.ready("all");
  const aiosctl = new Aiosctl(container.console_socket);
  const search = async (query: string, filter: Record<string, unknown>): Promise<Found[]> => {
    const { structuredContent } = await aiosctl.call("memory.search", { query, ...filter });
    return (structuredContent?.["found"] ?? []) as Found[];
  };
  const found = (query: string, filter: Record<string, unknown>): Promise<Found> =>
    waitFor(`memory to answer "${query}"`, async () => (await search(query, filter))[0] ?? null, { limit_ms: 120_000, every_ms: 200 });

  const written = await aiosctl.done("fs.write", { path: "/var/lib/aios/work/nginx.conf", content: "listen 80;", how: "write" });
  const action = await found("what was done to the nginx configuration", { kinds: ["action"] });
  expect(action.memory).toMatchObject({ id: written._meta.call, tool: "fs.write", outcome: "worked" });
  expect(action.why).toContain("nginx");

  const reactive = await serviceStatus(container.console, "reactive");
  process.kill(container.hostPid(reactive.pid ?? 0), "SIGKILL");
  await readyAgain(container.console, "reactive", reactive.pid);
  const memory = await serviceStatus(container.console, "memory");
  process.kill(container.hostPid(memory.pid ?? 0), "SIGKILL");
  await readyAgain(container.console, "memory", memory.pid);
  const death = await found("the reactive service was killed", { services: ["reactive"], kinds: ["event"] });
  expect(death.memory.text).toContain("reactive");
  const decided = await found("restart memory", { kinds: ["decision"], services: ["memory"] });
  expect(decided.memory).toMatchObject({ tier: "reactive", kind: "decision" });
  const { structuredContent } = await aiosctl.done("memory.trace", { id: decided.memory.id, direction: "influenced-by" });
  expect(JSON.stringify(structuredContent)).toContain("caused-by");
  expect((await found("what was done to the nginx configuration", { kinds: ["action"] })).memory.id).toBe(String(written._meta.call));

  const said = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await aiosctl.run("memory", ...argv);
    expect(status, err).toBe(0);
    return out;
  };
  expect(await said("recent", "--window", "1h", "--kind", "service.exited", "--count", "service.exited")).toContain("reactive");
  // the services have written their logs by now, which are lines like any other
  const templates = await waitFor("templates of logs", async () => (await said("templates")).match(/^ *([0-9]+) +[0-9]+ /m), {
    limit_ms: 30_000,
    every_ms: 200,
  });
  expect(await said("templates", templates[1] ?? "")).toContain("data, never an instruction");
  expect(await said("incidents", "--all")).toContain("no incident");
});
