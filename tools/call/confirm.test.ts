/** Changes that are taken back when nobody confirms them. */

import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AuditQuery } from "../../contracts/audit.ts";
import { ToolError } from "../tool.ts";
import { closeAll, closeLast, folder, noteTool, open, request } from "./testing/notes.ts";

afterEach(closeAll);

describe("a change that has to be confirmed", () => {
  const text = (at: string): string | null => (existsSync(join(at, "a")) ? readFileSync(join(at, "a"), "utf8") : null);

  test("is taken back when nobody does, also after a restart, as an audited call of the system", async () => {
    const at = folder();
    const first = await open(at, [noteTool(at)]);
    const { _meta } = await first.calls.make(request("test.note", { name: "a", text: "x" }, { confirm_within_s: 1 }));
    expect(_meta.confirm_by_ms).toBeGreaterThan(Date.now());
    expect(text(at)).toBe("x");
    await closeLast();
    const second = await open(at, [noteTool(at)]);
    while (text(at) !== null) await Bun.sleep(20);
    while (second.undo.stateOf(_meta.call) !== "done") await Bun.sleep(20);
    const [undo] = second.audit.query(AuditQuery.parse({ principal: "system", kind: "outcome" }));
    expect(undo).toMatchObject({ status: "done", reason: { text: "nobody confirmed it in time" }, body: { undoes: _meta.call } });
  });

  test("is taken back whatever came later upon it: what can be goes first, what cannot be does not keep it", async () => {
    const at = folder();
    const restoring = noteTool(at, { name: "test.restore", image: null, restores: true });
    const final = noteTool(at, { name: "test.final", image: null });
    delete (final as { undo?: unknown }).undo;
    const stuck = noteTool(at, { name: "test.stuck", undo: () => Promise.reject(new ToolError("it does not go back")) });
    const broker = await open(at, [noteTool(at), restoring, final, stuck]);
    const note = async (tool: string, words: string, confirm_within_s = 0) =>
      (await broker.calls.make(request(tool, { name: "a", text: words }, { confirm_within_s })))._meta.call;
    const locked_out = await note("test.note", "locked out", 1);
    await note("test.restore", "as declared");
    const upon = await note("test.note", "upon it");
    await note("test.final", "and more");
    await note("test.stuck", "and stuck");
    await broker.calls.make(request("test.note", { name: "b", text: "elsewhere" }));
    while (broker.undo.stateOf(locked_out) !== "done") await Bun.sleep(20);
    expect([text(at), broker.undo.stateOf(upon), existsSync(join(at, "b"))]).toEqual([null, "done", true]);
  });

  test("stays with what is confirmed upon it", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)]);
    const note = async (name: string) =>
      (await broker.calls.make(request("test.note", { name, text: name }, { confirm_within_s: 1 })))._meta.call;
    const [first, elsewhere, upon] = [await note("a"), await note("b"), await note("a")];
    expect(broker.confirm(upon)).toBe(true);
    expect(broker.confirmations.deadlineOf(first)).toBeNull();
    while (broker.undo.stateOf(elsewhere) !== "done") await Bun.sleep(20);
    expect(text(at)).toBe("a");
  });

  test("has its whole time after it is done, however long that took", async () => {
    const at = folder();
    const slow = noteTool(at, {
      timeout_ms: 10_000,
      run: async () => {
        writeFileSync(join(at, "a"), "x");
        await Bun.sleep(1500);
        return { length: 1 };
      },
    });
    const broker = await open(at, [slow]);
    const { _meta } = await broker.calls.make(request("test.note", { name: "a", text: "x" }, { confirm_within_s: 1 }));
    expect(_meta.status).toBe("done");
    expect(_meta.confirm_by_ms).toBeGreaterThan(Date.now());
    while (text(at) !== null) await Bun.sleep(20);
  });

  test("is only asked for where the input says so", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at, { confirmWithin: ({ text }) => (text === "risky" ? 100 : 0) })]);
    const deadline = async (input: string) =>
      (await broker.calls.make(request("test.note", { name: "a", text: input })))._meta.confirm_by_ms;
    expect(await deadline("safe")).toBeNull();
    expect(await deadline("risky")).toBeGreaterThan(Date.now());
  });

  test("stays when somebody does", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at, { confirm_within_s: 1 })]);
    const { _meta } = await broker.calls.make(request("test.note", { name: "a", text: "x" }));
    expect(broker.confirm(_meta.call)).toBe(true);
    expect(broker.confirm(_meta.call)).toBe(false);
    await Bun.sleep(1500);
    expect(text(at)).toBe("x");
  });
});
