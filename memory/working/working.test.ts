import { expect, test } from "bun:test";
import type { WorkChange, WorkDone } from "../../contracts/memory/working/changes.ts";
import type { WorkItem } from "../../contracts/memory/working/items.ts";
import { frame_bytes_max } from "../../contracts/rpc.ts";
import { openInRam } from "../../wire/database.ts";
import { RpcError } from "../../wire/peer.ts";
import { seeded } from "../../wire/seeded.ts";
import { memory_file } from "../store/migrations.ts";
import type { Changer } from "./change.ts";
import type { Moment } from "./leases.ts";
import { machines, movesFrom } from "./machines.ts";
import { isOver, planFault, readiness } from "./plan.ts";
import { Working } from "./working.ts";

const tactical: Changer = { caller: "tactical", actor: "tier" };
const person: Changer = { caller: "console", actor: "person" };
const goal: Extract<WorkChange, { do: "goal" }> = {
  do: "goal",
  body: { text: "serve /srv/www on port 8080", keep: true, check: null, taint: [] },
};
const incident = (key: string, events: string[] = []): WorkChange => ({
  do: "incident",
  body: { key, summary: `${key} is wrong`, severity: "error", service: "nginx", events, taint: [] },
});
const step = (key: string, needs: string[] = []) => ({ key, title: key, tool: null, arguments: {}, needs, attempts_max: 2, taint: [] });
const plan = (steps: ReturnType<typeof step>[], parent: string | null = null, as?: string): WorkChange => ({
  do: "plan",
  parent,
  body: { purpose: "repair", playbook: null, taint: [] },
  steps,
  ...(as === undefined ? {} : { as }),
});

/** Working memory over a database in RAM, with a clock that is moved by hand. */
class Bench {
  readonly db = openInRam(memory_file);
  readonly working = new Working(this.db);
  now: Moment = { boot: "0badcafe", boot_ms: 1000, time_ms: 1.7e12 };
  readonly fences: Record<string, number> = {};

  /** @returns what was done; as in the service, all in one transaction */
  change(by: Changer, ...changes: WorkChange[]): WorkDone[] {
    const request = { changes, why: "a test", fences: this.fences };
    return this.db.transaction(() => this.working.change(by, request, this.now).done).immediate();
  }

  one(by: Changer, change: WorkChange): WorkItem {
    return this.item(this.change(by, change)[0]?.id ?? "");
  }

  item(id: string): WorkItem {
    const item = this.working.items.item(id);
    if (item === null) throw new Error(`there is no "${id}"`);
    return item;
  }

  lease(root: string, by: Changer = tactical): void {
    const { granted, lease } = this.working.leases.acquire(root, `${by.caller}/1`, 60_000, this.now);
    expect(granted).toBe(true);
    this.fences[root] = lease.fence;
  }

  move(by: Changer, id: string, to: string, patch?: Record<string, never> | { waits_for: { call: null; what: string } }): WorkItem {
    const { version } = this.item(id);
    return this.one(by, { do: "move", id, version, to, ...(patch === undefined ? {} : { patch }) });
  }

  refusal(by: Changer, ...changes: WorkChange[]): string {
    try {
      this.change(by, ...changes);
    } catch (error) {
      if (error instanceof RpcError) return error.message;
      throw error;
    }
    throw new Error("it was not refused");
  }
}

test("an incident goes once around the loop, under a lease, and every version of it is kept", () => {
  const bench = new Bench();
  const { id } = bench.one(tactical, incident("service-dead nginx", ["0badcafe-init-1"]));
  expect(bench.refusal(tactical, { do: "move", id, version: 1, to: "orienting" })).toContain(
    `"${id}" needs its lease: no fence was given, and nobody holds it now`,
  );
  bench.lease(id);
  for (const to of ["orienting", "deciding", "acting", "watching", "learning", "solved"]) bench.move(tactical, id, to);
  expect(bench.item(id)).toMatchObject({ state: "solved", ended: true, version: 7, root: id, reason: "a test" });
  const versions = bench.working.items.history(id, undefined, 10);
  expect(versions.map(({ version, from, to }) => [version, from, to])).toEqual([
    [7, "learning", "solved"],
    [6, "watching", "learning"],
    [5, "acting", "watching"],
    [4, "deciding", "acting"],
    [3, "orienting", "deciding"],
    [2, "observing", "orienting"],
    [1, null, "observing"],
  ]);
});

test("more of the same is added to the open incident; after its end a new one begins", () => {
  const bench = new Bench();
  const [first, more] = bench.change(
    tactical,
    incident("full disk", ["0badcafe-init-1"]),
    incident("full disk", ["0badcafe-init-1", "0badcafe-init-2"]),
  );
  expect(more).toMatchObject({ id: first?.id ?? "", merged: true, version: 2 });
  expect(bench.item(first?.id ?? "")).toMatchObject({ body: { events: ["0badcafe-init-1", "0badcafe-init-2"], events_total: 2 } });
  for (let n = 3; n < 60; n += 1) bench.change(tactical, incident("full disk", [`0badcafe-init-${n}`]));
  const { body } = bench.item(first?.id ?? "");
  expect("events" in body && [body.events.length, body.events_total, body.events.at(-1)]).toEqual([32, 59, "0badcafe-init-59"]);
  const { version } = bench.item(first?.id ?? "");
  expect(bench.change(tactical, incident("full disk", ["0badcafe-init-59"]))[0]).toMatchObject({ merged: true, version });
  bench.move(person, first?.id ?? "", "parked");
  const second = bench.one(tactical, incident("full disk"));
  expect(second.id).not.toBe(first?.id ?? "");
  expect(
    bench.refusal(person, { do: "move", id: first?.id ?? "", version: bench.item(first?.id ?? "").version, to: "observing" }),
  ).toContain(`"${second.id}" is about the same and open`);
});

test("a move that is not in the table is refused with those that are possible", () => {
  const bench = new Bench();
  const { id } = bench.one(person, goal);
  bench.lease(id);
  expect(bench.refusal(tactical, { do: "move", id, version: 1, to: "done" })).toBe(
    `change 0 (move) failed, and nothing was changed: goal "${id}" is new, and "tactical" cannot make it "done"; possible from there: planning, failed`,
  );
  expect(bench.refusal(person, { do: "move", id, version: 1, to: "planning" })).toContain("possible from there: paused, cancelled");
  bench.move(tactical, id, "planning");
  bench.move(tactical, id, "working");
  expect(bench.refusal(tactical, { do: "move", id, version: 3, to: "done" })).toContain("it is to be kept");
  expect(bench.refusal(tactical, { do: "move", id, version: 3, to: "blocked" })).toContain("`waits_for` does not say for what");
  expect(bench.move(tactical, id, "blocked", { waits_for: { call: null, what: "a key" } }).body).toMatchObject({
    waits_for: { what: "a key" },
  });
  expect(bench.move(tactical, id, "planning").body).toMatchObject({ waits_for: null });
});

/** One of each kind. */
function seedItems(bench: Bench, n: number): string[] {
  const [made] = bench.change(person, goal);
  const task: WorkChange = { do: "task", parent: null, body: { title: "look", detail: "", tier: null, due_ms: null, taint: [] } };
  const [of_tier, planned, at_work] = bench.change(
    tactical,
    incident(`a${n}`),
    plan([step("a"), step("b", ["a"]), step("c", ["a", "b"])]),
    task,
  );
  return [made, of_tier, planned, at_work, ...(planned?.steps ?? [])].map((one) => one?.id ?? "");
}

test.each([1, 2, 3])("random walks reach nothing that is not written down, seed %d", (seed) => {
  const random = seeded(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const bench = new Bench();
  const ids = Array.from({ length: 12 }, (_, n) => n).flatMap((n) => seedItems(bench, n));
  for (const id of ids) if (bench.item(id).root === id) bench.lease(id);
  const all_states = [...new Set(Object.values(machines).flatMap(({ moves }) => moves.map(({ to }) => to)))];
  let moved = 0;
  for (let n = 0; n < 1500; n += 1) {
    const item = bench.item(pick(ids));
    const by = pick([tactical, tactical, person]);
    const possible = movesFrom(item.kind, item.state, by.actor);
    const to = possible.length > 0 && random() < 0.7 ? pick(possible).to : pick(all_states);
    const patch = random() < 0.5 && "waits_for" in item.body ? { patch: { waits_for: { call: null, what: "x" } } } : {};
    const version = random() < 0.9 ? item.version : item.version + 1;
    let done: WorkDone | undefined;
    try {
      [done] = bench.change(by, { do: "move", id: item.id, version, to, ...patch });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      expect(bench.item(item.id)).toEqual(item);
      continue;
    }
    moved += 1;
    expect(version).toBe(item.version);
    const written = machines[item.kind].moves.some((one) => one.from.includes(item.state) && one.to === to && one.by.includes(by.actor));
    expect(written).toBe(true);
    const after = bench.item(item.id);
    expect(after).toMatchObject({ state: done?.state, version: item.version + 1, ended: machines[item.kind].ends.includes(after.state) });
    if (after.kind === "step" && after.state === "running" && item.state === "pending") {
      const steps = bench.working.items.steps(after.parent ?? "");
      for (const need of after.body.needs) expect(steps.filter((one) => one.body.key === need).every(isOver)).toBe(true);
      expect(after.body.attempts).toBeLessThanOrEqual(after.body.attempts_max);
    }
  }
  expect(moved).toBeGreaterThan(150);
});

test("the tables are sound: every state can be reached and has an end or a way to one, and ends are ends for tiers", () => {
  for (const [kind, { begins, ends, moves }] of Object.entries(machines)) {
    const states = new Set([begins, ...moves.flatMap(({ from, to }) => [...from, to])]);
    const reached = new Set([begins]);
    for (let grew = true; grew; ) {
      const before = reached.size;
      for (const { from, to } of moves) if (from.some((one) => reached.has(one))) reached.add(to);
      grew = reached.size > before;
    }
    expect([kind, [...states].filter((one) => !reached.has(one))]).toEqual([kind, []]);
    const leads_to_end = new Set(ends);
    for (let grew = true; grew; ) {
      const before = leads_to_end.size;
      for (const { from, to } of moves) if (leads_to_end.has(to)) for (const one of from) leads_to_end.add(one);
      grew = leads_to_end.size > before;
    }
    expect([kind, [...states].filter((one) => !leads_to_end.has(one))]).toEqual([kind, []]);
  }
  expect(movesFrom("incident", "solved", "tier")).toEqual([]);
  expect(movesFrom("goal", "cancelled", "tier")).toEqual([]);
  expect(movesFrom("goal", "cancelled", "person").map(({ to }) => to)).toEqual(["planning"]);
});

test("several changes are all done or none; a name stands for what was made before", () => {
  const bench = new Bench();
  const [made, planned] = bench.change(tactical, { ...goal, as: "g" } as WorkChange, plan([step("a"), step("b", ["a"])], "@g", "p"), {
    do: "move",
    id: "@p",
    version: null,
    to: "active",
  });
  expect(bench.item(planned?.id ?? "")).toMatchObject({ parent: made?.id ?? "", root: made?.id ?? "", state: "active" });
  const before = bench.working.items.list({ limit: 100 }).items;
  expect(bench.refusal(tactical, incident("x"), incident("y"), { do: "move", id: "@g", version: null, to: "planning" })).toBe(
    'change 2 (move) failed, and nothing was changed: "@g" is not made before it is named',
  );
  expect(bench.working.items.list({ limit: 100 }).items).toEqual(before);
});

test("two that saw the same version: the second is refused and told what it is now", () => {
  const bench = new Bench();
  const { id } = bench.one(person, goal);
  bench.lease(id);
  bench.move(person, id, "paused");
  expect(bench.refusal(tactical, { do: "edit", id, version: 1, patch: { progress: 0.5 } })).toContain(
    `version 1 of goal "${id}" was seen, and it is at 2 (paused) since console changed it; read it again`,
  );
});

test("a transaction with a name is done once, however often it is told", () => {
  const bench = new Bench();
  const tell = () => bench.working.change(tactical, { changes: [incident("once")], why: "a test", request: "r1" }, bench.now);
  const first = tell();
  expect(tell().done).toEqual(first.done);
  expect(bench.item(first.done[0]?.id ?? "").version).toBe(1);
});

test("what a patch may not hold is refused, and what comes from people stays theirs", () => {
  const bench = new Bench();
  const { id } = bench.one(tactical, incident("k"));
  bench.lease(id);
  expect(bench.refusal(tactical, { do: "edit", id, version: 1, patch: { key: "other" } })).toContain("the patch does not fit a incident");
  expect(bench.refusal(tactical, { do: "edit", id, version: 1, patch: { summary: 5 } })).toContain("summary");
  expect(bench.refusal(person, incident("z"))).toContain('"console" may not begin a incident: tiers do');
  expect(bench.refusal(person, plan([step("a")]))).toContain("may not begin a plan");
});

test("plans: no circles, no missing or doubled steps, also when steps are added", () => {
  expect(planFault([step("a", ["b"]), step("b", ["c"]), step("c", ["a"]), step("d")])).toBe(
    "these steps need each other in a circle: a, b, c",
  );
  expect(planFault([step("a", ["a"])])).toContain("circle");
  expect(planFault([step("a", ["x"])])).toContain('needs "x", which is no step of it');
  expect(planFault([step("a"), step("a")])).toContain('two steps are called "a"');
  const bench = new Bench();
  const [made] = bench.change(tactical, plan([step("a")]));
  bench.lease(made?.id ?? "");
  expect(bench.refusal(tactical, { do: "steps", plan: made?.id ?? "", version: 1, steps: [step("b", ["c"]), step("c", ["b"])] })).toContain(
    "circle",
  );
  const [more] = bench.change(tactical, { do: "steps", plan: made?.id ?? "", version: 1, steps: [step("b", ["a"])] });
  expect(more).toMatchObject({ version: 2, steps: [{ key: "b" }] });
});

test.each([1, 2, 3, 4])("a random plan is carried out in an order that its needs allow, seed %d", (seed) => {
  const random = seeded(seed);
  const steps = Array.from({ length: 30 }, (_, n) =>
    step(
      `s${n}`,
      Array.from({ length: n }, (_, before) => `s${before}`).filter(() => random() < 0.15),
    ),
  );
  const shuffled = steps.map((one) => ({ one, at: random() })).toSorted((a, b) => a.at - b.at);
  const bench = new Bench();
  const [made] = bench.change(tactical, plan(shuffled.map(({ one }) => one)));
  const id = made?.id ?? "";
  bench.lease(id);
  expect(bench.refusal(tactical, { do: "move", id: made?.steps[0]?.id ?? "", version: 1, to: "running" })).toContain(
    "its plan is draft, not active",
  );
  bench.move(tactical, id, "active");
  const over = new Set<string>();
  for (;;) {
    const { ready, blocked } = readiness(bench.working.items.steps(id));
    const first = ready[Math.floor(random() * ready.length)];
    if (first === undefined) break;
    const refused = blocked[0];
    if (refused !== undefined) {
      expect(bench.refusal(tactical, { do: "move", id: refused.step.id, version: refused.step.version, to: "running" })).toContain(
        `it needs ${refused.by.join(", ")}`,
      );
      expect(bench.refusal(tactical, { do: "move", id, version: bench.item(id).version, to: "done" })).toContain(
        "these steps are not done",
      );
    }
    for (const need of first.body.needs) expect(over.has(need)).toBe(true);
    bench.move(tactical, first.id, "running");
    bench.move(tactical, first.id, "done");
    over.add(first.body.key);
  }
  expect(over.size).toBe(30);
  expect(bench.move(tactical, id, "done")).toMatchObject({ ended: true });
});

test("a step is tried as often as it may be", () => {
  const bench = new Bench();
  const [made] = bench.change(tactical, plan([step("a")]), {
    do: "incident",
    body: { key: "x", summary: "x", severity: "info", service: null, events: [], taint: [] },
  });
  bench.lease(made?.id ?? "");
  bench.move(tactical, made?.id ?? "", "active");
  const id = made?.steps[0]?.id ?? "";
  for (const to of ["running", "failed", "pending", "running", "failed"]) bench.move(tactical, id, to);
  expect(bench.refusal(tactical, { do: "move", id, version: bench.item(id).version, to: "pending" })).toContain("it was tried 2 times");
  expect(bench.move(tactical, id, "skipped")).toMatchObject({ ended: true });
});

test("what waits for an approval is found by its call, until it goes on", () => {
  const bench = new Bench();
  const { id } = bench.one(tactical, incident("k"));
  bench.lease(id);
  const call = "0badcafe-call-17";
  for (const to of ["orienting", "deciding"]) bench.move(tactical, id, to);
  bench.change(tactical, { do: "move", id, version: 3, to: "waiting", patch: { waits_for: { call, what: "to format a disk" } } });
  const waiting = () => bench.working.items.list({ waits_for: call, limit: 5 }).items.map((item) => item.id);
  expect(waiting()).toEqual([id]);
  bench.move(tactical, id, "deciding");
  expect(waiting()).toEqual([]);
});

test("what fits into one answer is counted in bytes as they are sent, and read page by page nothing is missing", () => {
  const bench = new Bench();
  const texts = Array.from({ length: 100 }, (_, at) => `${at} `.padEnd(2000, "\u6c34"));
  for (const text of texts) bench.change(person, { ...goal, body: { ...goal.body, text } });
  const found: WorkItem[] = [];
  for (let more = true; more; ) {
    const before = found.at(-1)?.id;
    const page = bench.working.items.list({ kinds: ["goal"], limit: 100, ...(before === undefined ? {} : { before }) });
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(frame_bytes_max);
    found.push(...page.items);
    more = page.more;
  }
  expect(found.reverse().map(({ body }) => "text" in body && body.text)).toEqual(texts);
});

test("context: the newest only, against lost updates", () => {
  const { working } = new Bench();
  expect(working.contexts.of("tactical")).toEqual({ tier: "tactical", version: 0, changed_ms: null, body: {} });
  expect(working.contexts.put("tactical", 0, { a: 1 }, 5)).toBe(1);
  expect(() => working.contexts.put("tactical", 0, { a: 2 }, 6)).toThrow("version 0 was seen and it is at 1");
  expect(working.contexts.of("tactical")).toEqual({ tier: "tactical", version: 1, changed_ms: 5, body: { a: 1 } });
});
