/**
 * An incident that no playbook is against: the strategic tier finds the cause by looking, and what it proposes removes it. It rests on
 * text from outside (the name of a file), so a person has to approve it.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { decisionWhere } from "../expect.ts";
import { providerInside } from "./provider.ts";

/** As the scan found it. */
const path = "{{path}}";
const cause = "somebody gave the file the rights of root: no package brought it, and nothing needs it";
const opinion = "fs.stat shows that the file has the rights of root, and the change can be taken back";
const mends = {
  does: "takes the right to run as root from the file",
  calls: [{ tool: "fs.chmod", arguments: { path, mode: "0755" } }],
  watch_ms: 1_800_000,
  confidence: 0.9,
};
const other = { ...mends, does: "removes the file", calls: [{ tool: "fs.remove", arguments: { path } }], confidence: 0.6 };

const data = newFolder("data");
const file = join(data, "srv/tools/backdoor");
let container: Container;
let aiosctl: Aiosctl;

beforeAll(async () => {
  const { programs, config } = await providerInside({
    conversations: [
      {
        when: 'alarm: "setuid-file"',
        match: "(?<path>/[a-z/]*srv/tools/backdoor)",
        turns: [
          {
            expect: { tool: "fs.stat" },
            say: [
              { text: "I look at the file, and at what its folder is for." },
              { tool: { name: "fs.stat", input: { path } } },
              { tool: { name: "fs.list", input: { path: "/srv/tools" } } },
              { tool: { name: "tools.describe", input: { name: "fs.chmod" } } },
            ],
          },
          {
            expect: { tool_result: "backdoor" },
            say: [{ tool: { name: "incident.answer", input: { root_cause: cause, options: [mends, other] } } }],
          },
        ],
      },
      {
        when: "Data of the machine about one call",
        match: "(?<path>/[a-z/]*srv/tools/backdoor)",
        turns: [
          { expect: { text: 'tool: "fs.chmod"', tool: "fs.stat" }, say: [{ tool: { name: "fs.stat", input: { path } } }] },
          { expect: { tool_result: "4755" }, say: [{ tool: { name: "review.answer", input: { verdict: "approve", reason: opinion } } }] },
        ],
      },
    ],
  });
  // a file system of its own: what is scanned are those that are mounted
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=256m,mode=0755", "tmpfs", data]);
  if (mounted.exitCode !== 0) throw new Error(`mounting a small disk failed: ${mounted.stderr}`);
  mkdirSync(join(data, "srv/tools"), { recursive: true });
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, 0o4755);
  container = await startContainer({ data, programs, config: `${config}sensors: { pace: 15 }\n` });
  await container.ready("all");
  aiosctl = new Aiosctl(container.console_socket);
  await aiosctl.tools();
}, 300_000);
afterAll(async () => {
  await container?.kill();
  Bun.spawnSync(["umount", "--lazy", data]);
});

test("the cause is found by looking, a person approves what removes it, and the chain is on record", async () => {
  const asked = await waitFor(
    "the call that waits for a person",
    async () => (await aiosctl.approvals()).find(({ tool }) => tool === "fs.chmod") ?? null,
    { limit_ms: 180_000, every_ms: 500 },
  );
  expect(asked).toMatchObject({ principal: "tier:strategic", tainted: expect.arrayContaining(["", "/path"]), arguments: { mode: "0755" } });
  const reviewed = await waitFor(
    "a second opinion on it",
    async () => (await aiosctl.approvals()).find(({ call, review }) => call === asked.call && review !== null) ?? null,
    { limit_ms: 120_000, every_ms: 500 },
  );
  expect(reviewed.review).toMatchObject({ verdict: "approve", reason: opinion, model: "claude-opus-5-5", heard_outside: true });
  expect((await aiosctl.run("approvals")).out).toContain(`it would approve ${opinion} (claude-opus-5-5, which has read text from outside)`);
  // an opinion is no yes
  expect(reviewed.state).toBe("waiting");
  expect(statSync(file).mode & 0o4000).toBe(0o4000);
  const approved = await aiosctl.run("approve", asked.call, "--why", "it is no program of ours");
  expect(approved.status, approved.err).toBe(0);
  const decision = await decisionWhere(
    container.console,
    "of the strategic tier",
    ({ rule, outcome }) => rule === "strategic setuid-file fs.chmod" && outcome.result !== "pending",
    { limit_ms: 300_000, every_ms: 500 },
  );
  expect(decision).toMatchObject({
    ...{ tier: "strategic", confidence: 0.9, outcome: { result: "done", detail: "the alarm was cleared" } },
    asked: [{ who: "claude-opus-5-5", said: cause }],
    alternatives: [{ what: "strategic setuid-file fs.remove", confidence: 0.6 }],
  });
  expect(decision.asked?.[0]?.usd).toBeGreaterThan(0);
  expect(statSync(file).mode & 0o7777).toBe(0o755);
  const { out } = await aiosctl.run("why", decision.id);
  for (const said of ["claude-opus-5-5", cause, "fs.chmod", "strategic setuid-file fs.remove (0.60)", "expected 0.90"])
    expect(out).toContain(said);
  // from the alarm, with every state of the incident
  const chain = await aiosctl.run("why", decision.trigger.id);
  for (const said of ["What became of it", "observing", "passed to strategic", "fs.chmod waits for a person", decision.id])
    expect(chain.out).toContain(said);
  const looks = await aiosctl.audit("--tool", "fs.list", "--principal", "tier:strategic");
  expect(JSON.stringify(looks)).toContain("looking for the root cause of setuid-file");
  expect(await aiosctl.verify()).toMatchObject({ whole: true });
}, 600_000);
