/** What services use, by the real service.usage, of real processes. */

import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { memoryState, type TestContext, testPlaces } from "../../../../tools/testing/context.ts";
import { usageFigures } from "../usage.ts";
import { realTools } from "./real-tools.ts";

const tests = testPlaces();
const children: Bun.Subprocess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  tests.remove();
});
const mib = 1024 * 1024;

/** bash(1), which then becomes sleep(1): open files stay open. @returns its pid, once it sleeps */
async function program(source: string): Promise<number> {
  const child = Bun.spawn(["bash", "-c", `${source}\nexec sleep 600`], { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  children.push(child);
  while (!(await Bun.file(`/proc/${child.pid}/comm`).text()).startsWith("sleep")) await Bun.sleep(5);
  return child.pid;
}

test("open files and deleted ones of each service; tasks and memory of those that have a limit", async () => {
  const big = join(tests.work, "big");
  const leaks = await program(
    `ulimit -S -n 20; exec 3>'${big}'; head -c ${3 * mib} /dev/zero >&3; rm '${big}'\n${[4, 5, 6, 7, 8, 9].map((fd) => `exec ${fd}</dev/null`).join("\n")}`,
  );
  const calm = await program(":");
  const state = memoryState();
  const definition = { argv: ["/usr/bin/sleep"], limits: { pids_max: 4, memory_max_bytes: 64 * mib } };
  const defaults = { root: null, env: {}, writes: [], network: false, ports: [], after: [], ready: "exec", heartbeat_ms: 0 };
  const stored = { ...defaults, ...definition, restart: "always", secrets: [], certificates: [] };
  state.put("service:leaky", { definition: stored, uid: 20_000, enabled: true, owner: "person:anna" });
  // as PID 1 says whose processes are, where there are no cgroups
  const call = async () => [
    { pid: leaks, service: "leaky" },
    { pid: calm, service: "calm" },
  ];
  const init = { call } as unknown as NonNullable<TestContext["init"]>;
  const figures = await usageFigures(realTools(() => tests.context({ state, init })));
  const of = (service: string) =>
    Object.fromEntries(figures.filter(({ subject }) => subject === service).map(({ figure, value }) => [figure, value]));
  const { "service.memory_ratio": memory, ...leaky } = of("leaky");
  // stdin, stdout, stderr, and seven more, of twenty; one thread of four tasks
  expect(leaky).toEqual({ "service.files_ratio": 0.5, "service.deleted_mib": 3, "service.tasks_ratio": 0.25 });
  expect(memory ?? 0).toBeGreaterThan(0);
  expect(memory ?? 1).toBeLessThan(0.2);
  const { "service.files_ratio": files, ...rest } = of("calm");
  expect(rest).toEqual({ "service.deleted_mib": 0 });
  expect(files ?? 1).toBeLessThan(0.1);
  expect(figures.find(({ figure, subject }) => subject === "leaky" && figure === "service.files_ratio")?.detail).toBe(
    "50 % of its open files",
  );
});
