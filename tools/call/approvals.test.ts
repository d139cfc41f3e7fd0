/** Calls that wait for a person: what he says, what is thought of them, what becomes of them. */

import { afterEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Opinion } from "../../contracts/permission.ts";
import { isReviewed, pendingReviews } from "./review.ts";
import { closeAll, closeLast, folder, kinds, noteTool, open, request } from "./testing/notes.ts";

afterEach(closeAll);

describe("an approval", () => {
  test("lets exactly that call happen, once", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)], "approval");
    const waiting = await broker.calls.make(request("test.note", { name: "a", text: "x" }));
    expect(waiting._meta.status).toBe("waiting");
    const other = await broker.calls.make(request("test.note", { name: "a", text: "x" }));
    expect(broker.approvals.list(false)).toHaveLength(2);
    const done = await broker.calls.decide(waiting._meta.call, true, "person:operator", "fine");
    expect(done).toMatchObject({ structuredContent: { length: 1 }, _meta: { status: "done", call: waiting._meta.call } });
    expect(kinds(broker, waiting._meta.call)).toEqual(["approval waiting", "approval", "intent", "image", "outcome done"]);
    await expect(broker.calls.decide(waiting._meta.call, true, "person:operator", "again")).rejects.toThrow("counts once");
    expect(broker.approvals.get(other._meta.call)?.approval.state).toBe("waiting");
  });

  test("does not hold when the system has changed since", async () => {
    const at = folder();
    let what = "a gentle change";
    const changing = noteTool(at, { preview: () => ({ changes: [what], final: [] }) });
    const broker = await open(at, [changing], "approval");
    const { _meta } = await broker.calls.make(request("test.note", { name: "a", text: "x" }));
    what = "a terrible change";
    const result = await broker.calls.decide(_meta.call, true, "person:operator", "fine");
    expect(result._meta).toMatchObject({ status: "declined", text: expect.stringContaining("no longer what was approved") });
    expect(existsSync(join(at, "a"))).toBe(false);
  });

  test("that is declined, withdrawn or late is a no", async () => {
    const at = folder();
    let [passed_ms, set_by_ms] = [0, 0];
    const clock = { now_ms: () => Date.now() + passed_ms + set_by_ms, boot_ms: () => performance.now() + passed_ms };
    const broker = await open(at, [noteTool(at)], "approval", { clock });
    const ask = async (): Promise<string> => (await broker.calls.make(request("test.note", { name: "a", text: "x" })))._meta.call;
    const declined = await ask();
    expect((await broker.calls.decide(declined, false, "person:operator", "not today"))._meta).toMatchObject({
      status: "declined",
      text: expect.stringContaining("not today"),
    });
    const withdrawn = await ask();
    expect(await broker.calls.cancel(withdrawn, "tier:tactical", "no need")).toBe(true);
    const late = await ask();
    // a wall clock that somebody sets is no answer
    set_by_ms = 365 * 86_400_000;
    await broker.calls.expire();
    expect(broker.approvals.get(late)?.approval.state).toBe("waiting");
    set_by_ms = -set_by_ms;
    passed_ms = 3_600_001;
    await broker.calls.expire();
    for (const [call, state] of [
      [declined, "declined"],
      [withdrawn, "withdrawn"],
      [late, "expired"],
    ] as const) {
      expect(broker.approvals.get(call)?.approval.state).toBe(state);
      expect(kinds(broker, call).at(-1)).toBe("outcome declined");
      await expect(broker.calls.decide(call, true, "person:operator", "yes after all")).rejects.toThrow("counts once");
    }
    expect(existsSync(join(at, "a"))).toBe(false);
  });

  test("carries one opinion of the strategic tier, which decides nothing, and is in the audit", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at, { risk: "compensable" })], "approval");
    const { call } = (await broker.calls.make(request("test.note", { name: "a", text: "x" })))._meta;
    expect(pendingReviews(broker.approvals.list(false)).map((one) => one.call)).toEqual([call]);
    const opinion: Opinion = { verdict: "approve", reason: "it is so", model: "m", tokens: 7, usd: 0.1, heard_outside: true };
    expect(await broker.calls.review(call, opinion)).toMatchObject({ call, state: "waiting", review: opinion });
    expect(pendingReviews(broker.approvals.list(false))).toEqual([]);
    await expect(broker.calls.review(call, opinion)).rejects.toThrow("it has an opinion already");
    expect(existsSync(join(at, "a"))).toBe(false);
    expect(kinds(broker, call)).toEqual(["approval waiting", "approval waiting"]);
    expect(broker.audit.ofCall(call).at(-1)?.body).toMatchObject({ state: "waiting", review: opinion });
    await broker.calls.decide(call, false, "person:operator", "no");
    expect(broker.approvals.get(call)?.approval).toMatchObject({ state: "declined", review: opinion });
    await expect(broker.calls.review(call, opinion)).rejects.toThrow("it is declined already");
    await expect(broker.calls.review("0badcafe-call-99", opinion)).rejects.toThrow("no such call waits");
  });

  test("that nobody could be asked is no opinion yet: somebody who can be asked later says one", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at, { risk: "compensable" })], "approval");
    const { call } = (await broker.calls.make(request("test.note", { name: "a", text: "x" })))._meta;
    const later = (await broker.calls.make(request("test.note", { name: "b", text: "x" })))._meta.call;
    const none: Opinion = { verdict: "none", reason: "offline", model: null, tokens: 0, usd: 0, heard_outside: false };
    const opinion: Opinion = { ...none, verdict: "reject", reason: "it is so", model: "m" };
    await broker.calls.review(call, none);
    // what nobody has looked into comes first, however young
    expect(pendingReviews(broker.approvals.list(false)).map((one) => one.call)).toEqual([later, call]);
    await expect(broker.calls.review(call, { ...none, reason: "still offline" })).rejects.toThrow("it has an opinion already");
    expect(await broker.calls.review(call, opinion)).toMatchObject({ review: opinion });
    await expect(broker.calls.review(call, { ...opinion, verdict: "approve" })).rejects.toThrow("it has an opinion already");
    expect(pendingReviews(broker.approvals.list(false)).map((one) => one.call)).toEqual([later]);
    // a model that was asked and said nothing has been asked
    await broker.calls.review(later, { ...none, model: "m" });
    await expect(broker.calls.review(later, opinion)).rejects.toThrow("it has an opinion already");
  });

  test("is thought about when a tier asks, and it could do harm or rests on text from outside", () => {
    const asks: Parameters<typeof isReviewed>[0] = { principal: "tier:tactical", risk: "compensable", tainted: [] };
    expect(isReviewed(asks)).toBe(true);
    expect(isReviewed({ ...asks, risk: "reversible" })).toBe(false);
    expect(isReviewed({ ...asks, risk: "reversible", tainted: [""] })).toBe(true);
    expect(isReviewed({ ...asks, principal: "person:operator", risk: "irreversible" })).toBe(false);
  });

  test("survives a restart of the broker", async () => {
    const at = folder();
    const first = await open(at, [noteTool(at)], "approval");
    const { _meta } = await first.calls.make(request("test.note", { name: "a", text: "x" }));
    const secret = await first.calls.make(request("test.note", { name: "b", text: "x", pin: "4711-4711" }));
    await closeLast();
    const second = await open(at, [noteTool(at)], "approval");
    expect((await second.calls.decide(_meta.call, true, "person:operator", "fine"))._meta.status).toBe("done");
    await expect(second.calls.decide(secret._meta.call, true, "person:operator", "fine")).rejects.toThrow("secrets");
  });

  test("answers the caller who waits for it", async () => {
    const at = folder();
    const broker = await open(at, [noteTool(at)], "approval");
    const asking = broker.calls.make(request("test.note", { name: "a", text: "x" }, { wait_ms: 10_000 }));
    while (broker.approvals.list(false).length === 0) await Bun.sleep(5);
    const [waiting] = broker.approvals.list(false);
    await broker.calls.decide(waiting?.call ?? "", true, "person:operator", "fine");
    expect((await asking)._meta.status).toBe("done");
  });
});
