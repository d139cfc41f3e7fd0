/** The way of a call, with a real broker in a folder and tools made for it. */

import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AuditQuery } from "../../contracts/audit.ts";
import { CallMeta } from "../../contracts/tool.ts";
import type { Context } from "../context.ts";
import { type Target, ToolError } from "../tool.ts";
import { closeAll, closeLast, folder, kinds, lookTool, noteTool, open, request } from "./testing/notes.ts";

afterEach(closeAll);

describe("a change", () => {
  test("is recorded as intent, image and outcome, with its reason, and answered with its output", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)]);
    const { structuredContent, isError, _meta } = await broker.calls.make(
      request("test.note", { name: "a", text: "hello" }, { group: "g1" }),
    );
    expect({ structuredContent, isError, status: _meta.status, undo: _meta.undo }).toEqual({
      structuredContent: { length: 5 },
      isError: false,
      status: "done",
      undo: "possible",
    });
    expect(kinds(broker, _meta.call)).toEqual(["intent", "image", "outcome done"]);
    const [intent] = broker.audit.ofCall(_meta.call);
    expect(intent).toMatchObject({ principal: "tier:tactical", tool: "test.note", group: "g1", reason: { text: "to test it" } });
    expect(intent?.body).toMatchObject({ arguments: { name: "a", text: "hello" }, policies: ["test"] });
    expect(readFileSync(join(at, "a"), "utf8")).toBe("hello");
  });

  test("that only looks, by its arguments, offers no undo", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at, { riskOf: ({ text }) => (text === "" ? "observe" : "reversible") })]);
    const undo = async (text: string): Promise<string> => (await broker.calls.make(request("test.note", { name: "a", text })))._meta.undo;
    expect([await undo(""), await undo("hello")]).toEqual(["none", "possible"]);
  });

  test("whose arguments do not fit is told which it takes", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)]);
    const { _meta } = await broker.calls.make(request("test.note", { name: "a", txt: "hello" }));
    expect(_meta.status).toBe("invalid");
    expect(_meta.text).toContain('Unrecognized key: "txt"; it takes name, text, [pin], [goes_wrong]; tools/get shows the schema');
  });

  for (const goes_wrong of ["run", "output", "verify", "hang"] as const)
    test(`whose ${goes_wrong} goes wrong is taken back, and says so`, async () => {
      const at = folder();
      writeFileSync(join(at, "a"), "before");
      const broker = await open(at, [noteTool(at)]);
      const { structuredContent, isError, _meta } = await broker.calls.make(request("test.note", { name: "a", text: "after", goes_wrong }));
      expect({ structuredContent, isError, status: _meta.status }).toEqual({ structuredContent: null, isError: true, status: "undone" });
      expect(_meta.text).toContain("taken back");
      expect(readFileSync(join(at, "a"), "utf8")).toBe("before");
      expect(kinds(broker, _meta.call)).toEqual(["intent", "image", "outcome undone"]);
    });

  test("that cannot be taken back either is uncertain", async () => {
    const at = folder();
    const stuck = noteTool(at, {
      undo: () => {
        throw new ToolError("taking back failed: the rubber is lost");
      },
    });
    const broker = await open(at, [stuck]);
    const { _meta } = await broker.calls.make(request("test.note", { name: "a", text: "after", goes_wrong: "run" }));
    expect(_meta.status).toBe("uncertain");
    expect(_meta.text).toContain("the rubber is lost");
  });

  test("without a before-image does not run", async () => {
    const at = folder();
    const full = noteTool(at, {
      snapshot: () => {
        throw new ToolError("keeping the note failed: there is no room");
      },
    });
    const broker = await open(at, [full]);
    const { _meta } = await broker.calls.make(request("test.note", { name: "a", text: "x" }));
    expect(_meta.status).toBe("failed");
    expect(existsSync(join(at, "a"))).toBe(false);
    expect(kinds(broker, _meta.call)).toEqual(["intent", "outcome failed"]);
  });

  test("of the same thing waits for the one before; others do not", async () => {
    const at = folder();
    const order: string[] = [];
    const slow = noteTool(at, {
      run: async (_: unknown, { name, text }: { name: string; text: string }) => {
        order.push(`${name}${text} in`);
        await Bun.sleep(20);
        order.push(`${name}${text} out`);
        return { length: text.length };
      },
    });
    const broker = await open(at, [slow]);
    const make = (name: string, text: string) => broker.calls.make(request("test.note", { name, text }));
    await Promise.all([make("a", "1"), make("a", "2"), make("b", "1")]);
    expect(order.indexOf("a2 in")).toBeGreaterThan(order.indexOf("a1 out"));
    expect(order.indexOf("b1 in")).toBeLessThan(order.indexOf("a1 out"));
  });

  test("is refused while it cannot be recorded", async () => {
    const at = folder();
    writeFileSync(join(at, "data"), "a file where the folder should be");
    await expect(open(at, [noteTool(at)])).rejects.toThrow();
  });
});

describe("a look", () => {
  test("that does not stop when its time is over ends nobody, and keeps its place until it does", async () => {
    const at = folder();
    const shut = Promise.withResolvers<{ seen: string }>();
    let shuts = true;
    const stuck = { ...lookTool, timeout_ms: 10, concurrency_max: 1, run: () => (shuts ? shut.promise : { seen: "it" }) };
    const given_up: string[] = [];
    const broker = await open(at, [stuck], "allow", { giveUp: (why) => given_up.push(why) });
    const look = async () => (await broker.calls.make(request("test.look", {})))._meta;
    expect(await look()).toMatchObject({ status: "failed", text: expect.stringContaining("did not stop within") });
    shuts = false;
    expect(await look()).toMatchObject({ status: "limited", text: expect.stringContaining("calls of test.look in work: 1") });
    shut.resolve({ seen: "late" });
    await Bun.sleep(0);
    expect(await look()).toMatchObject({ status: "done" });
    expect(given_up).toEqual([]);
  }, 20_000);

  test("before a change that does not stop ends nobody, and nothing is done", async () => {
    const at = folder();
    const given_up: string[] = [];
    const calls = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
    const never = (call: PromiseWithResolvers<string>, context: Context) => {
      call.resolve(context.call);
      return new Promise<never>(() => {});
    };
    const tools = [
      noteTool(at, { name: "test.unresolved", resolve: (_, context) => never(calls[0], context) }),
      noteTool(at, { name: "test.unpreviewed", preview: (_, __, context) => never(calls[1], context) }),
    ];
    const broker = await open(at, tools, "approval", { giveUp: (why) => given_up.push(why) });
    const made = tools.map(({ name }) => broker.calls.make(request(name, { name: "a", text: "x" })));
    for (const { promise } of calls) await broker.calls.cancel(await promise, "person:ada", "it takes too long");
    for (const { _meta } of await Promise.all(made)) {
      expect(_meta).toMatchObject({ status: "failed", text: expect.stringContaining("did not stop within") });
      expect(kinds(broker, _meta.call)).toEqual(["outcome failed"]);
    }
    expect(existsSync(join(at, "a"))).toBe(false);
    expect(given_up).toEqual([]);
  }, 20_000);

  test("at what a call touches is let go of when its call was cancelled meanwhile", async () => {
    const at = folder();
    const call = Promise.withResolvers<string>();
    const resolved = Promise.withResolvers<Target>();
    const slow = noteTool(at, {
      resolve: (_, { call: own }) => {
        call.resolve(own);
        return resolved.promise;
      },
    });
    const broker = await open(at, [slow]);
    const made = broker.calls.make(request("test.note", { name: "a", text: "x" }));
    await broker.calls.cancel(await call.promise, "person:ada", "it takes too long");
    let closed = 0;
    const close = (): void => {
      closed += 1;
    };
    resolved.resolve({ resources: [], close });
    expect((await made)._meta).toMatchObject({ status: "failed", text: expect.stringContaining("it takes too long") });
    expect(closed).toBe(1);
  });

  test("of which ever more do not stop gives the process up, which is started anew", async () => {
    const at = folder();
    const shut = Promise.withResolvers<{ seen: string }>();
    const given_up: string[] = [];
    const broker = await open(at, [{ ...lookTool, timeout_ms: 10, run: () => shut.promise }], "allow", {
      giveUp: (why) => given_up.push(why),
    });
    await Promise.all(Array.from({ length: 9 }, () => broker.calls.make(request("test.look", {}))));
    expect(given_up).toEqual([expect.stringContaining("9 looks do not stop, the newest is test.look")]);
    shut.resolve({ seen: "late" });
  }, 20_000);
});

describe("what is not done", () => {
  test("bad arguments, unknown tools and refusals are on record, and have no effect", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)], "deny");
    const status = async (tool: string, args: Record<string, unknown>) => (await broker.calls.make(request(tool, args)))._meta;
    expect(await status("test.note", { name: "A/../b", text: "" })).toMatchObject({
      status: "invalid",
      text: expect.stringContaining("name"),
    });
    expect(await status("test.note", { name: "a", text: "", more: 1 })).toMatchObject({ status: "invalid" });
    expect(await status("no.such", {})).toMatchObject({ status: "invalid", text: expect.stringContaining("tools/list") });
    const refused = await status("test.note", { name: "a", text: "x" });
    expect(refused).toMatchObject({ status: "refused", text: "this test allows nothing", policies: ["test"] });
    expect(existsSync(join(at, "a"))).toBe(false);
    expect(kinds(broker, refused.call)).toEqual(["outcome refused"]);
    expect(broker.audit.query(AuditQuery.parse({ status: "invalid" }))).toHaveLength(3);
  });

  test("a dry run says what would be done", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)], "approval");
    const { structuredContent, _meta } = await broker.calls.make(request("test.note", { name: "a", text: "x" }, { dry_run: true }));
    expect(_meta.status).toBe("previewed");
    expect(structuredContent).toMatchObject({ effect: "approval", changes: [`${join(at, "a")} is replaced`] });
    expect(existsSync(join(at, "a"))).toBe(false);
  });
});

describe("a key", () => {
  test("makes a call that is sent twice once, also over a restart", async () => {
    const at = folder();
    const first = await open(at, [noteTool(at)]);
    const one = await first.calls.make(request("test.note", { name: "a", text: "x" }, { key: "k" }));
    writeFileSync(join(at, "a"), "changed since");
    const again = await first.calls.make(request("test.note", { name: "a", text: "x" }, { key: "k" }));
    expect(again._meta).toMatchObject({ call: one._meta.call, status: "done" });
    expect(again.structuredContent).toEqual(one.structuredContent);
    const other = await first.calls.make(request("test.note", { name: "b", text: "x" }, { key: "k" }));
    expect(other._meta.status).toBe("invalid");
    await closeLast();
    const second = await open(at, [noteTool(at)]);
    expect((await second.calls.make(request("test.note", { name: "a", text: "x" }, { key: "k" })))._meta.call).toBe(one._meta.call);
    expect(readFileSync(join(at, "a"), "utf8")).toBe("changed since");
  });
});

describe("cancelling", () => {
  test("ends a call that runs, and takes it back", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at, { timeout_ms: 60_000 })]);
    const working = broker.calls.make(request("test.note", { name: "a", text: "x", goes_wrong: "hang" }));
    while (!existsSync(join(at, "a"))) await Bun.sleep(5);
    const call = broker.audit.query(AuditQuery.parse({ kind: "intent" }))[0]?.call ?? "";
    expect(await broker.calls.cancel(call, "person:operator", "enough")).toBe(true);
    expect((await working)._meta).toMatchObject({
      status: "undone",
      text: expect.stringContaining("cancelled by person:operator: enough"),
    });
    expect(existsSync(join(at, "a"))).toBe(false);
    expect(await broker.calls.cancel(call, "person:operator", "again")).toBe(false);
  });
});

describe("secrets and taint", () => {
  test("a secret is in no file of the broker", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)]);
    const { _meta } = await broker.calls.make(request("test.note", { name: "a", text: "x", pin: "4711-4711-4711" }));
    expect(_meta.status).toBe("done");
    for (const file of ["audit.db", "audit.db-wal", "broker.db", "broker.db-wal"])
      expect(readFileSync(join(at, "data/broker", file), "latin1"), file).not.toContain("4711-4711");
  });

  test("an argument that repeats a tainted answer is marked in the record", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at), lookTool]);
    const look = await broker.calls.make(request("test.look", { say: "log" }));
    expect(look._meta.tainted).toBe(true);
    const { _meta } = await broker.calls.make(request("test.note", { name: "a", text: "evil-instructions" }));
    expect(broker.audit.ofCall(_meta.call)[0]?.body["tainted"]).toEqual(["/text"]);
  });

  test("a look is one entry, without what was seen", async () => {
    const at = folder();
    const broker = await open(at, [lookTool]);
    const { _meta } = await broker.calls.make(request("test.look", { say: "something-that-was-seen" }));
    const entries = broker.audit.ofCall(_meta.call);
    expect(entries.map(({ kind, status }) => [kind, status])).toEqual([["outcome", "done"]]);
    expect(entries[0]?.body["output_bytes"]).toBeGreaterThan(0);
    expect(entries[0]?.body["output"]).toBeUndefined();
  });
});

describe("undo", () => {
  const text = (at: string, name: string): string | null => (existsSync(join(at, name)) ? readFileSync(join(at, name), "utf8") : null);
  const who = { principal: "person:operator", role: "admin", owner: null } as const;
  const reason = CallMeta.parse({ reason: { text: "back" } }).reason;

  test("of a call, its redo, and no undo twice", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)]);
    const { _meta } = await broker.calls.make(request("test.note", { name: "a", text: "1" }));
    const undone = await broker.undo.run({ call: _meta.call }, who, reason, broker.calls);
    expect(undone.outcomes.map(({ status }) => status)).toEqual(["done"]);
    expect(text(at, "a")).toBeNull();
    expect(broker.undo.stateOf(_meta.call)).toBe("done");
    await expect(broker.undo.run({ call: _meta.call }, who, reason, broker.calls)).rejects.toThrow("taken back already");
    const undo_call = undone.outcomes[0]?.call ?? "";
    const redone = await broker.undo.run({ call: undo_call }, who, reason, broker.calls);
    expect(redone.outcomes[0]?.status).toBe("done");
    expect(text(at, "a")).toBe("1");
    await expect(broker.undo.run({ call: undo_call }, who, reason, broker.calls)).rejects.toThrow("made anew already");
  });

  test("is refused when something later depends on it, naming it", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)]);
    const first = (await broker.calls.make(request("test.note", { name: "a", text: "1" })))._meta.call;
    const second = (await broker.calls.make(request("test.note", { name: "a", text: "2" })))._meta.call;
    await broker.calls.make(request("test.note", { name: "b", text: "2" }));
    const plan = broker.undo.plan({ call: first });
    expect(plan.obstacles).toEqual([{ call: first, why: expect.stringContaining(second) }]);
    await expect(broker.undo.run({ call: first }, who, reason, broker.calls)).rejects.toThrow("nothing was changed");
    expect(text(at, "a")).toBe("2");
    await broker.undo.run({ call: second }, who, reason, broker.calls);
    await broker.undo.run({ call: first }, who, reason, broker.calls);
    expect([text(at, "a"), text(at, "b")]).toEqual([null, "2"]);
  });

  test("of a group and of a span of time, newest first", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)]);
    const make = (name: string, note: string, group: string) => broker.calls.make(request("test.note", { name, text: note }, { group }));
    await make("a", "1", "g1");
    await Bun.sleep(5);
    const since_ms = Date.now();
    await make("a", "2", "g2");
    await make("b", "2", "g2");
    await make("c", "3", "g3");
    const { outcomes } = await broker.undo.run({ group: "g2" }, who, reason, broker.calls);
    expect(outcomes).toHaveLength(2);
    expect([text(at, "a"), text(at, "b"), text(at, "c")]).toEqual(["1", null, "3"]);
    await broker.undo.run({ since_ms }, who, reason, broker.calls);
    expect([text(at, "a"), text(at, "b"), text(at, "c")]).toEqual(["1", null, null]);
  });

  test("of a call that had no effect, or that does not exist, is refused with the reason", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at), lookTool]);
    const failed = await broker.calls.make(request("test.note", { name: "a", text: "x", goes_wrong: "run" }));
    expect(broker.undo.plan({ call: failed._meta.call }).obstacles[0]?.why).toContain("had no effect");
    expect(broker.undo.plan({ call: "00000000-call-999" }).obstacles).toHaveLength(1);
    const look = await broker.calls.make(request("test.look", {}));
    expect(broker.undo.plan({ call: look._meta.call }).obstacles).toHaveLength(1);
  });
});
