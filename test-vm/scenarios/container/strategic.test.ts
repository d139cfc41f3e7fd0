/** An incident that no playbook solves: the strategic tier finds the cause by looking, and what it proposes removes it. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { decisionWhere, serviceStatus } from "../expect.ts";
import { providerInside } from "./provider.ts";

const cause = "the folder /srv/site, which the service serves, is not there: the program ends with status 1 at each start";
const mends = {
  does: "makes the folder that is missing and starts the service",
  calls: [
    { tool: "fs.mkdir", arguments: { path: "/srv/site" } },
    { tool: "service.restart", arguments: { name: "web" } },
  ],
  watch_ms: 60_000,
  confidence: 0.9,
};
const other = { ...mends, does: "starts the service once more", calls: mends.calls.slice(1), confidence: 0.2 };

const data = newFolder("data");
let container: Container;
let aiosctl: Aiosctl;

beforeAll(async () => {
  const { programs, config } = await providerInside({
    conversations: [
      {
        when: '"web"',
        turns: [
          {
            expect: { tool: "service.logs" },
            say: [
              { text: "The service ends at once. I look at its definition and at the folder." },
              { tool: { name: "service.status", input: { name: "web" } } },
              { tool: { name: "fs.list", input: { path: "/srv" } } },
            ],
          },
          {
            expect: { tool_result: "serve-files" },
            say: [{ tool: { name: "incident.answer", input: { root_cause: cause, options: [mends, other] } } }],
          },
        ],
      },
    ],
  });
  mkdirSync(join(data, "srv/site"), { recursive: true });
  writeFileSync(join(data, "srv/site/index.html"), "<p>it is served</p>");
  container = await startContainer({ data, programs, config });
  await container.ready("all");
  aiosctl = new Aiosctl(container.console_socket);
  await aiosctl.tools();
}, 300_000);
afterAll(() => container?.kill());

test("the cause is found by looking, what removes it is done, and the chain is on record", async () => {
  const argv = ["/usr/bin/aios", "serve-files", "/srv/site", "8081"];
  await aiosctl.done("service.define", { name: "web", argv, network: true, ports: [{ protocol: "tcp", port: 8081 }] });
  renameSync(join(data, "srv/site"), join(data, "srv/away"));
  const { pid } = await serviceStatus(container.console, "web");
  process.kill(container.hostPid(pid ?? 0), "SIGKILL");
  const decision = await decisionWhere(
    container.console,
    "of the strategic tier",
    ({ tier, outcome }) => tier === "strategic" && outcome.result !== "pending",
    { limit_ms: 240_000, every_ms: 500 },
  );
  expect(decision).toMatchObject({
    rule: expect.stringMatching(/^strategic service-[a-z-]+ fs\.mkdir\+service\.restart$/),
    asked: [{ who: "claude-opus-5-5", said: cause }],
    outcome: { result: "done", detail: "the alarm was cleared" },
    alternatives: [{ what: expect.stringContaining("service.restart") }],
    action: { calls: [{ tool: "fs.mkdir" }, { tool: "service.restart" }] },
  });
  expect(decision.asked?.[0]?.usd).toBeGreaterThan(0);
  expect((await serviceStatus(container.console, "web")).state).toBe("ready");
  const { out } = await aiosctl.run("why", decision.id);
  for (const said of ["claude-opus-5-5", "/srv/site", "fs.mkdir", "service.restart", "expected 0.90"]) expect(out).toContain(said);
  const looks = await waitFor(
    "the looks to be on record",
    async () => {
      const entries = await aiosctl.audit("--tool", "fs.list");
      return entries.some(({ principal }) => principal === "tier:strategic") ? entries : null;
    },
    { limit_ms: 30_000, every_ms: 500 },
  );
  expect(JSON.stringify(looks)).toContain("looking for the root cause of service-");
  expect(await aiosctl.verify()).toMatchObject({ whole: true });
}, 400_000);
