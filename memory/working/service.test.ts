/** Working and operational memory over the sockets of the real service, and after it was killed. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { openBootClock } from "../../wire/boot-clock.ts";
import { RpcError } from "../../wire/peer.ts";
import { openDatabase } from "../store/open.ts";
import { diskFolder } from "../testing/folder.ts";
import { exitedEvent } from "../testing/records.ts";
import { type MemoryPeer, startMemory } from "../testing/service.ts";

const boot_ms = openBootClock();

const incident = (key: string) => ({
  do: "incident" as const,
  body: { key, summary: key, severity: "error" as const, service: null, events: [], taint: [] },
});

test("who may do what; two tiers want the same incident, one gets it; a person takes it away", async () => {
  const memory = await startMemory(diskFolder("working"));
  const [tactical, strategic, desk] = await Promise.all([memory.ask("tactical"), memory.ask("strategic"), memory.ask("console")]);
  const { done } = await tactical.call("work.change", { why: "nginx ended", changes: [incident("nginx")] });
  const id = done[0]?.id ?? "";
  const wants = await Promise.all([tactical, strategic].map((peer) => peer.call("lease.acquire", { id, holder: "p1", ttl_ms: 60_000 })));
  expect(wants.map(({ granted }) => granted)).toEqual([true, false]);
  const fences = { [id]: wants[0]?.lease.fence ?? 0 };
  const orient = { why: "looking", changes: [{ do: "move" as const, id, version: 1, to: "orienting" }], fences };
  const refused = await strategic.call("work.change", orient).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RpcError);
  expect(refused).toMatchObject({ message: expect.stringContaining('"tactical/p1" holds it') });
  await tactical.call("work.change", orient);
  const seen = await desk.call("work.get", { id });
  expect(seen).toMatchObject({ item: { state: "orienting" }, lease: { holder: "tactical/p1" }, moves: ["handed-over", "parked"] });
  await desk.call("work.change", { why: "I know this one", for: "anna", changes: [{ do: "move", id, version: 2, to: "handed-over" }] });
  const late = await tactical
    .call("work.change", { ...orient, changes: [{ do: "move", id, version: 2, to: "deciding" }] })
    .catch((error: unknown) => error);
  expect(late).toMatchObject({ message: expect.stringContaining("it is at 3 (handed-over) since console (anna) changed it") });
  expect((await desk.call("work.history", { id, limit: 1 }))[0]).toMatchObject({ who: "console (anna)", why: "I know this one" });
  expect(await desk.call("work.list", { kinds: ["incident"], ended: true, limit: 5 })).toMatchObject({ items: [{ id }], more: false });
  expect(Object.keys(await tactical.call("work.machines", {}))).toEqual(["goal", "task", "plan", "step", "incident"]);
  await expect(tactical.call("work.change", { why: "x", for: "anna", changes: [incident("y")] })).rejects.toThrow("may not speak for");
  await expect(desk.call("lease.acquire", { id, holder: "p", ttl_ms: 1000 })).rejects.toThrow('"console" may not call "lease.acquire"');
  await tactical.call("context.put", { version: 0, body: { seen: [id] } });
  expect(await strategic.call("context.get", { tier: "tactical" })).toMatchObject({ version: 1, body: { seen: [id] } });
  await memory.kill();
}, 30_000);

test("killed at random: every acknowledged transaction is there whole, and none by half", async () => {
  const data = diskFolder("working-kill");
  const acknowledged = new Map<string, number>();
  let key = 0;
  for (let round = 0; round < 6; round += 1) {
    const memory = await startMemory(data);
    const peers = await Promise.all([memory.ask("tactical"), memory.ask("operational")]);
    const enough = acknowledged.size + 5;
    let dying = false;
    const work = async (peer: MemoryPeer): Promise<void> => {
      for (;;) {
        const name = `k${key++}`;
        const steps = ["a", "b", "c"].map((one, at) => ({
          key: one,
          title: one,
          tool: null,
          arguments: {},
          needs: at === 0 ? [] : ["a"],
          attempts_max: 1,
          taint: [],
        }));
        try {
          const { done } = await peer.call("work.change", {
            why: name,
            request: name,
            changes: [
              { ...incident(name), as: "i" },
              { do: "plan", as: "p", parent: "@i", body: { purpose: name, playbook: null, taint: [] }, steps },
              { do: "move", id: "@p", version: null, to: "active" },
            ],
          });
          acknowledged.set(done[0]?.id ?? "", done.length);
        } catch {
          return;
        }
        if (dying || acknowledged.size < enough) continue;
        dying = true;
        setTimeout(() => void memory.kill(), Math.random() * 100);
      }
    };
    await Promise.all(peers.map(work));
    await memory.child.exited;
  }
  const { db, degradation } = openDatabase(join(data, "memory"));
  expect(degradation).toBeNull();
  const ids = db
    .prepare<[], { id: string }>("SELECT id FROM work_items WHERE kind = 'incident'")
    .all()
    .map(({ id }) => id);
  expect([...acknowledged.keys()].filter((id) => !ids.includes(id))).toEqual([]);
  expect(acknowledged.size).toBeGreaterThanOrEqual(30);
  const count = (sql: string): unknown => db.prepare<[], { n: number }>(sql).get()?.n;
  // whole: each incident has its plan, active, with its three steps; each version has its history
  expect(count("SELECT count(*) AS n FROM work_items WHERE kind = 'plan' AND state = 'active' AND version = 2")).toBe(ids.length);
  expect(count("SELECT count(*) AS n FROM work_items WHERE kind = 'step'")).toBe(ids.length * 3);
  expect(count("SELECT sum(version) AS n FROM work_items")).toBe(count("SELECT count(*) AS n FROM work_history"));
  expect(count("SELECT count(*) AS n FROM work_requests")).toBe(ids.length);
}, 90_000);

test("the last hour after SIGKILL: events and figures are counted as before", async () => {
  const data = diskFolder("recent-kill");
  const now_ms = boot_ms();
  const events = Array.from({ length: 250 }, (_, n) => exitedEvent(n, "nginx", Math.max(0, now_ms - 20_000 + n)));
  const first = await startMemory(data);
  const reactive = await first.ask("reactive");
  await reactive.call("events.append", { events });
  const sample = { boot_ms: now_ms - 5, values: { "cpu.busy_ratio": 0.25 } };
  expect(await reactive.call("metrics.append", { samples: [sample] })).toEqual({ durable: true });
  const asked = async (peer: MemoryPeer) => [
    (await peer.call("recent.rate", { by: "kind-service", key: "service.exited nginx" })).map(({ count }) => count),
    (await peer.call("recent.top", { source: "init", window: "15m", limit: 3 })).keys,
    (await peer.call("recent.percentiles", { name: "cpu.busy_ratio", window: "1m", at: [1] })).values,
    (await peer.call("recent.percentiles", { name: "service.exited.uptime_ms", window: "1m", at: [0.5] })).n,
    (await peer.call("recent.events", { window: "1h", limit: 2, full: true })).full,
  ];
  const before = await asked(reactive);
  expect(before).toEqual([[250, 250, 250, 250], [{ key: "service.exited nginx", count: 250, error: 0 }], [0.25], 250, events.slice(-2)]);
  await first.kill();
  const second = await startMemory(data);
  const again = await second.ask("reactive");
  while ((await again.call("recent.summary", { window: "1h" })).held.replaying) await Bun.sleep(10);
  expect(await asked(again)).toEqual(before);
  await expect(again.call("recent.percentiles", { name: "no.such", window: "1m", at: [1] })).rejects.toThrow("there is: cpu.busy_ratio");
  await second.kill();
}, 30_000);
