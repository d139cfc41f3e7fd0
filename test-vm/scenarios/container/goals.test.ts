/** A goal in words: planned by a model behind an API, done through the broker, kept true without the model. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { GoalAnswer, GoalsAnswer } from "../../../contracts/goal.ts";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { serviceStatus } from "../expect.ts";
import { without_models } from "../without-models.ts";
import { providerInside, requestsInside } from "./provider.ts";

/** Words of which no form is known. */
const text = "our visitors read what is in /srv/www on port 8080, always";
const argv = ["/usr/bin/aios", "serve-files", "/srv/www", "8080"];
const plan = {
  purpose: "a service of the system's own program serves the folder",
  steps: [
    {
      ...{ key: "define", title: "the service is defined and started", tool: "service.define" },
      arguments: { name: "www", argv, network: true, ports: [{ protocol: "tcp", port: 8080 }] },
    },
  ],
  keep: true,
  check: { tool: "service.status", arguments: { name: "www" }, expect: { service: { state: "ready" } }, every_ms: 1000 },
};

const docs = "our writers read what is in /srv/docs on port 8082";
const docs_argv = ["/usr/bin/aios", "serve-files", "/srv/docs", "8082"];
const docs_plan = {
  ...plan,
  steps: [{ ...plan.steps[0], arguments: { name: "docs", argv: docs_argv, network: true } }],
  check: { ...plan.check, arguments: { name: "docs" } },
};

const data = newFolder("data");
let container: Container;
let aiosctl: Aiosctl;
let inside: Awaited<ReturnType<typeof providerInside>>;

async function boot(): Promise<void> {
  container = await startContainer({ data, ...inside, config: `${without_models}${inside.config}` });
  await container.ready("all");
  aiosctl = new Aiosctl(container.console_socket);
  await aiosctl.tools();
}

beforeAll(async () => {
  inside = await providerInside({
    conversations: [
      {
        when: text,
        turns: [
          {
            expect: { tool: "service.list" },
            say: [{ tool: { name: "service.list", input: {} } }, { tool: { name: "tools.describe", input: { name: "service.define" } } }],
          },
          { expect: { tool_result: "argv" }, say: [{ tool: { name: "goal.plan", input: plan } }] },
        ],
      },
      {
        when: docs,
        turns: [
          { say: [{ tool: { name: "sys.logs", input: {} } }] },
          { expect: { tool_result: "holds text from outside" }, say: [{ tool: { name: "goal.plan", input: docs_plan } }] },
        ],
      },
    ],
  });
  for (const folder of ["www", "docs"]) mkdirSync(join(data, "srv", folder), { recursive: true });
  writeFileSync(join(data, "srv/www/index.html"), "<p>it is served</p>");
  await boot();
}, 300_000);
afterAll(() => container?.kill());

const said = async (...argv_: string[]): Promise<unknown> => {
  const { status, out, err } = await aiosctl.run("--json", ...argv_);
  expect(status, err).toBe(0);
  return JSON.parse(out);
};
/** As it was seen last, for who waits in vain. */
let seen = "";
async function shown(id: string): Promise<GoalAnswer> {
  const answer = GoalAnswer.parse(await said("goal", "show", id));
  const { goal, steps, history } = answer;
  seen = JSON.stringify({ goal: goal.state, steps: steps.map(({ state, body }) => [state, body]), why: history.map(({ why }) => why) });
  return answer;
}
const until = (id: string, state: string) =>
  waitFor(`the goal to be ${state}`, async () => ((await shown(id)).goal.state === state ? await shown(id) : null), {
    limit_ms: 120_000,
    every_ms: 250,
    explain: () => seen,
  });
/** A service is ready once it runs, which is before it listens. */
const served = (port = 8080): Promise<string> =>
  waitFor(
    "the page to be served",
    () => {
      const ran = Bun.spawnSync(["nsenter", "-t", String(container.hostPid(1)), "-n", "curl", "-s", `http://127.0.0.1:${port}/`]);
      return ran.exitCode === 0 ? ran.stdout.toString() : null;
    },
    { limit_ms: 30_000, every_ms: 50 },
  );
const Added = z.object({ goal: z.object({ id: z.string() }) });

test("it is planned, done and kept; stopped, it is repaired by the plan that is known, and no model is asked", async () => {
  const { id } = Added.parse(await said("goal", "add", text)).goal;
  const kept = await until(id, "kept");
  expect(kept.plan).toMatchObject({ state: "done", body: { purpose: plan.purpose } });
  expect(kept.history.map(({ who, to }) => `${who} ${to}`)).toEqual(
    expect.arrayContaining(["tactical planning", "strategic working", "tactical kept"]),
  );
  expect(await served()).toContain("it is served");
  const asked = requestsInside(container);
  expect(asked).toBe(2);
  const first = await serviceStatus(container.console, "www");
  await aiosctl.done("service.stop", { name: "www" });
  const repaired = await waitFor(
    "the repair",
    async () => {
      const now = await shown(id);
      return now.goal.state === "kept" && now.history.some(({ to }) => to === "drifted") ? now : null;
    },
    { limit_ms: 60_000, every_ms: 250, explain: () => seen },
  );
  expect(repaired.history.map(({ why }) => why).join("\n")).toContain("it is not so any more: service: state is");
  expect((await serviceStatus(container.console, "www")).pid).not.toBe(first.pid);
  expect(await served()).toContain("it is served");
  expect(requestsInside(container)).toBe(asked);
  const { out } = await aiosctl.run("goal", "show", id);
  for (const words of ["planned: a service of the system's own", "claude-opus-5-5", "it is repaired by the plan that is known"])
    expect(out).toContain(words);
}, 300_000);

test("the same words a second time need no model; paused and cancelled it stays as it is", async () => {
  const [goal] = GoalsAnswer.parse(await said("goal", "list")).goals;
  const id = goal?.id ?? "";
  await said("goal", "cancel", id, "--why", "a scenario");
  const asked = requestsInside(container);
  const again = Added.parse(await said("goal", "add", "Our visitors read what is in  /srv/www on port 8080, always")).goal.id;
  const kept = await until(again, "kept");
  expect(kept.history.map(({ why }) => why).join("\n")).toContain(`its plan is known from ${id}`);
  expect(requestsInside(container)).toBe(asked);
  await said("goal", "pause", again, "--why", "a scenario");
  await aiosctl.done("service.stop", { name: "www" });
  expect((await shown(again)).goal.state).toBe("paused");
  expect((await serviceStatus(container.console, "www")).state).toBe("stopped");
  await said("goal", "resume", again, "--why", "a scenario");
  const moves = (await until(again, "kept")).history.map(({ to }) => to);
  expect(moves).toEqual(expect.arrayContaining(["paused", "kept"]));
  expect(moves).not.toContain("drifted");
  expect((await serviceStatus(container.console, "www")).state).toBe("ready");
}, 300_000);

test("a service of the system's own program is kept running by a form of words; what nobody can plan is blocked with what is missing", async () => {
  const { id } = Added.parse(await said("goal", "add", "keep service www running")).goal;
  expect((await until(id, "kept")).history.map(({ why }) => why).join("\n")).toContain("the pattern service-running");
  const odd = Added.parse(await said("goal", "add", "make the moon full")).goal.id;
  const blocked = await until(odd, "blocked");
  expect(blocked.goal).toMatchObject({ body: { waits_for: { what: expect.stringContaining("the strategic tier has none") } } });
}, 300_000);

test("a folder is served by a form of words: what may not be done without a person waits for him, and then all of it is kept", async () => {
  const { id } = Added.parse(await said("goal", "add", "serve /srv/New on port 8083 and keep it up")).goal;
  const blocked = await until(id, "blocked");
  expect(blocked.history.map(({ why }) => why).join("\n")).toContain("the pattern folder-served");
  // a model may have been asked what it thinks of the call that waits, which is no part of the plan
  const [waiting] = await aiosctl.approvals();
  expect(waiting).toMatchObject({ tool: "net.listen", principal: "tier:tactical" });
  expect((await serviceStatus(container.console, "serve-8083")).state).toBe("ready");
  // what waits for the person is meant already: nobody starts it anew as one that nobody declared
  await served(8083);
  const { structuredContent } = await aiosctl.done("sec.scan", { checks: ["listening"] });
  expect(structuredContent?.["findings"]).not.toContainEqual(expect.objectContaining({ where: "tcp:8083" }));
  await said("approve", waiting?.call ?? "", "--why", "it is what was wanted");
  await until(id, "kept");
  await aiosctl.done("fs.write", { path: "/srv/New/index.html", content: "<p>new</p>", how: "create" });
  expect(await served(8083)).toContain("new");
  // what a person has approved once and is still so is not asked again when the rest drifts
  await said("stop", "serve-8083", "--why", "a scenario");
  const repaired = async (): Promise<GoalAnswer | null> => {
    const answer = await shown(id);
    return answer.goal.state === "kept" && answer.history.some(({ to }) => to === "drifted") ? answer : null;
  };
  const { history } = await waitFor("the goal to be kept again", repaired, { limit_ms: 120_000, every_ms: 250, explain: () => seen });
  expect(history.filter(({ to }) => to === "blocked")).toHaveLength(1);
  expect(await aiosctl.approvals()).toEqual([]);
}, 300_000);

test("what was planned after text from outside was read waits for a person, who is told so, and goes on when he has approved", async () => {
  const { id } = Added.parse(await said("goal", "add", docs)).goal;
  const blocked = await until(id, "blocked");
  expect(blocked.plan).toMatchObject({ body: { taint: ["tool:sys.logs"] } });
  const [waiting] = await aiosctl.approvals();
  expect(waiting).toMatchObject({ tool: "service.define", principal: "tier:tactical", tainted: [""] });
  expect(blocked.goal).toMatchObject({
    body: { waits_for: { call: waiting?.call, what: expect.stringContaining("an approval of service.define") } },
  });
  await said("approve", waiting?.call ?? "", "--why", "it is what was wanted");
  await until(id, "kept");
  expect((await serviceStatus(container.console, "docs")).state).toBe("ready");
}, 300_000);

test("over a reboot what is kept is checked again, and nothing is repaired that only was starting", async () => {
  const kept = GoalsAnswer.parse(await said("goal", "list")).goals.filter(({ state }) => state === "kept");
  expect(kept.length).toBeGreaterThan(1);
  await container.poweroff();
  await boot();
  await waitFor(
    "the checks after the boot",
    async () => {
      const checks = await aiosctl.audit("--tool", "service.status", "--principal", "tier:operational", "--since", "1h");
      const boots = new Set(checks.map(({ call }) => call?.slice(0, 8)));
      return boots.size > 1;
    },
    { limit_ms: 120_000, every_ms: 1000 },
  );
  const now = GoalsAnswer.parse(await said("goal", "list")).goals;
  for (const goal of kept) expect(now.find(({ id }) => id === goal.id)).toEqual(goal);
}, 300_000);
