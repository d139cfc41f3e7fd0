/**
 * A service whose settings somebody broke: starting it anew does not help, so the strategic tier reads what the service says and its
 * file, and changes the one line. It rests on text from outside, and can be taken back: nobody has to approve it.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { Aiosctl } from "../aiosctl.ts";
import { decisionWhere, serviceStatus } from "../expect.ts";
import { without_models } from "../without-models.ts";
import { providerInside } from "./provider.ts";

const path = "/var/lib/aios/srv/shop/shop.conf";
const wrong = "greeting = well\nprot = 8080\n";
const right = "greeting = well\nport = 8080\n";
const cause = "line 2 of its settings names one that it does not know, prot: port is meant";
const mends = {
  does: "writes the setting as the service names it, and starts it anew",
  calls: [
    { tool: "fs.edit", arguments: { path, edits: [{ old: "prot = 8080", new: "port = 8080" }] } },
    { tool: "service.restart", arguments: { name: "shop" } },
  ],
  watch_ms: 600_000,
  confidence: 0.9,
};

const data = newFolder("data");
const file = join(data, "srv/shop/shop.conf");
let container: Container;
let aiosctl: Aiosctl;

beforeAll(async () => {
  const script = {
    conversations: [
      {
        when: 'alarm: "service-crash-loop"',
        turns: [
          {
            expect: { tool: "fs.read" },
            say: [
              { tool: { name: "service.logs", input: { name: "shop" } } },
              { tool: { name: "fs.read", input: { path } } },
              { tool: { name: "tools.describe", input: { name: "fs.edit" } } },
            ],
          },
          {
            expect: { tool_result: "prot = 8080" },
            say: [{ tool: { name: "incident.answer", input: { root_cause: cause, options: [mends] } } }],
          },
        ],
      },
    ],
  };
  const { programs, config } = await providerInside(script);
  mkdirSync(join(data, "srv/shop"), { recursive: true });
  writeFileSync(file, right);
  container = await startContainer({ data, programs, config: `${config}${without_models}sensors: { pace: 15 }\n` });
  await container.ready();
  aiosctl = new Aiosctl(container.console_socket);
  await aiosctl.done("service.define", { name: "shop", argv: ["/mnt/settled", path], ready: "notify", writes: [dirname(path)] });
}, 300_000);
afterAll(() => container?.kill());

test("the line is changed, the service runs, why tells the cause, and a person's undo brings the line back", async () => {
  writeFileSync(file, wrong);
  const { pid } = await serviceStatus(container.console, "shop");
  process.kill(container.hostPid(pid ?? 0), "SIGKILL");
  const decision = await decisionWhere(
    container.console,
    "of the strategic tier",
    ({ rule, outcome }) => rule.startsWith("strategic service-crash-loop") && outcome.result !== "pending",
    { limit_ms: 300_000, every_ms: 500 },
  );
  expect(decision).toMatchObject({ tier: "strategic", outcome: { result: "done" }, asked: [{ who: "claude-opus-5-5", said: cause }] });
  expect(readFileSync(file, "utf8")).toBe(right);
  expect((await serviceStatus(container.console, "shop")).state).toBe("ready");
  // what was known before helps nobody here, and was tried first: it costs nothing
  const { decisions } = await container.console.call("why", { path: { id: decision.trigger.id } });
  const before = decisions.find(({ rule }) => rule === "playbook package-rollback");
  expect(before?.outcome).toMatchObject({ result: "failed", detail: expect.stringContaining("; there was nothing to take back") });
  expect((await aiosctl.run("why", decision.id)).out).toContain(cause);
  const [changed] = await aiosctl.audit("--tool", "fs.edit", "--kind", "intent");
  expect(changed).toMatchObject({ principal: "tier:strategic" });
  expect((await aiosctl.undo(changed?.call ?? "")).map(({ status }) => status)).toEqual(["done"]);
  expect(readFileSync(file, "utf8")).toBe(wrong);
  expect(await aiosctl.verify()).toMatchObject({ whole: true });
}, 600_000);
