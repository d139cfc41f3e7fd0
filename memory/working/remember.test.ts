import { expect, test } from "bun:test";
import type { WorkChange } from "../../contracts/memory/working/changes.ts";
import { Keeper } from "../keeper.ts";
import { testClock } from "../testing/clock.ts";
import { diskFolder } from "../testing/folder.ts";
import { workingHandlers } from "./handlers.ts";

test("an incident is a memory from its beginning, with what was done and how it ended, in the same transaction", async () => {
  const keeper = new Keeper(diskFolder("remember"));
  const clock = testClock(5000);
  const work = workingHandlers(keeper, clock, "tactical");
  const change = async (...changes: WorkChange[]) =>
    (await work["work.change"]({ changes, why: "the certificate was renewed", fences })).done;
  const fences: Record<string, number> = {};
  const events = ["0badcafe-init-1"];
  const [made] = await change({
    do: "incident",
    body: {
      key: "tls nginx",
      summary: "nginx serves an old certificate",
      severity: "warning",
      service: "nginx",
      events,
      taint: ["log:nginx"],
    },
  });
  const id = made?.id ?? "";
  const found = () => keeper.parts.longterm.recall([id])[0];
  expect(found()).toMatchObject({
    kind: "incident",
    source: "tactical",
    service: "nginx",
    outcome: "pending",
    text: "Incident (warning) tls nginx: nginx serves an old certificate",
    taint: ["log:nginx"],
    links: [{ relation: "caused-by", to: "0badcafe-init-1" }],
  });
  fences[id] = (await work["lease.acquire"]({ id, holder: "1", ttl_ms: 10_000 })).lease.fence;
  const step = {
    key: "renew",
    title: "renew the certificate",
    tool: "sec.certificate_renew",
    arguments: {},
    needs: [],
    attempts_max: 1,
    taint: [],
  };
  const [plan] = await change(
    { do: "plan", parent: id, as: "p", body: { purpose: "renew", playbook: null, taint: [] }, steps: [step] },
    {
      do: "move",
      id: "@p",
      version: null,
      to: "active",
    },
  );
  const step_id = plan?.steps[0]?.id ?? "";
  await change({ do: "move", id: step_id, version: 1, to: "running" });
  await change({ do: "move", id: step_id, version: 2, to: "done", patch: { result: "valid until spring" } });
  for (const [at, to] of ["orienting", "deciding", "acting", "watching", "learning", "solved"].entries()) {
    const patch = to === "deciding" ? { patch: { memories: ["0badcafe-incident-9"], decisions: ["0badcafe-d-tactical-4"] } } : {};
    await change({ do: "move", id, version: at + 1, to, ...patch });
  }
  const memory = found();
  expect(memory?.outcome).toBe("worked");
  expect(memory?.text).toStartWith(
    "Incident (warning) tls nginx: nginx serves an old certificate What was done: renew the certificate (sec.certificate_renew) done, valid until spring. It ended as solved: the certificate was renewed.",
  );
  expect(memory?.links.toSorted((a, b) => (a.to < b.to ? -1 : 1))).toEqual([
    { relation: "based-on", to: "0badcafe-incident-9" },
    { relation: "caused-by", to: "0badcafe-init-1" },
  ]);
  expect(keeper.parts.longterm.check()).toEqual([]);
  // a refused transaction leaves the memory as it was
  await expect(
    async () =>
      await change({ do: "goal", body: { text: "never", keep: false, check: null, taint: [] } }, { do: "edit", id, version: 1, patch: {} }),
  ).toThrow();
  expect(keeper.parts.longterm.stats(0).by_kind).toEqual({ incident: 1 });
  keeper.close();
});
