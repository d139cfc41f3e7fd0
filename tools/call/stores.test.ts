/** Approvals, keys and values in a real broker.db, over restarts. */

import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Approval } from "../../contracts/permission.ts";
import { CallMeta } from "../../contracts/tool.ts";
import { openState, stateKind } from "../state/open.ts";
import { Values, values_schema } from "../state/values.ts";
import { Approvals, approvals_schema } from "./approvals.ts";
import { Keys, keys_schema } from "./keys.ts";
import type { Request } from "./request.ts";

const kind = stateKind([values_schema, keys_schema, approvals_schema]);
const folder = (): string => mkdtempSync(join(tmpdir(), "broker-state-"));
const request: Request = {
  principal: "tier:tactical",
  role: null,
  owner: null,
  tool: "fs.remove",
  arguments: { path: "/srv/x" },
  meta: CallMeta.parse({ reason: { text: "test" } }),
  undoes: null,
  redoes: null,
};
const approval = (call: string): Approval => ({
  call,
  principal: "tier:tactical",
  tool: "fs.remove",
  risk: "irreversible",
  arguments: {},
  reason: request.meta.reason,
  resources: [],
  tainted: [],
  preview: [],
  final: [],
  asked_ms: 1,
  deadline_ms: 2,
  state: "waiting",
  decided_by: null,
  decided_ms: null,
  decided_why: null,
  review: null,
});

test("an approval is decided once, and its request survives a restart until then", () => {
  const at = folder();
  const first = new Approvals(openState(at, kind).db);
  first.ask(approval("0000aaaa-call-1"), request, "digest", false);
  const again = new Approvals(openState(at, kind).db);
  expect(again.get("0000aaaa-call-1")?.request).toEqual(request);
  expect(again.decide("0000aaaa-call-1", "approved", "person:operator", "yes", 5)).toMatchObject({ state: "approved", decided_ms: 5 });
  expect(again.decide("0000aaaa-call-1", "declined", "person:operator", "no", 6)).toBeNull();
  expect(first.decide("0000aaaa-call-1", "approved", "person:operator", "yes", 7)).toBeNull();
  expect(again.get("0000aaaa-call-1")?.request).toBeNull(); // what was approved once cannot be taken out again
  expect(again.list(false)).toEqual([]);
  expect(again.list(true)).toHaveLength(1);
});

test("secrets of a waiting call are nowhere on the disk, and gone after a restart", () => {
  const at = folder();
  const state = openState(at, kind);
  const approvals = new Approvals(state.db);
  const secret = { ...request, arguments: { value: "hunter2-hunter2" } };
  approvals.ask(approval("0000aaaa-call-2"), secret, "digest", true);
  expect(approvals.get("0000aaaa-call-2")?.request).toEqual(secret);
  for (const file of ["broker.db", "broker.db-wal"]) expect(readFileSync(join(at, file), "latin1")).not.toContain("hunter2");
  expect(new Approvals(openState(at, kind).db).get("0000aaaa-call-2")?.request).toBeNull();
});

test("a key belongs to its first call and its principal", () => {
  const keys = new Keys(openState(folder(), kind).db);
  expect(keys.claim("tier:tactical", "k", "0000aaaa-call-1", "d1", 1000)).toBeNull();
  expect(keys.claim("tier:tactical", "k", "0000aaaa-call-2", "d2", 1001)).toEqual({ call: "0000aaaa-call-1", digest: "d1" });
  expect(keys.claim("tier:strategic", "k", "0000aaaa-call-3", "d1", 1001)).toBeNull();
  expect(keys.claim("tier:strategic", "other", "0000aaaa-call-4", "d1", 1001 + 8 * 24 * 3_600_000)).toBeNull();
  expect(keys.claim("tier:tactical", "k", "0000aaaa-call-5", "d1", 1001 + 8 * 24 * 3_600_000)).toBeNull();
});

test("values are seen by their own family only, in the order of their keys", () => {
  const values = new Values(openState(folder(), kind).db);
  values.of("service").put("b", { n: 1 });
  values.of("service").put("a_1", [1]);
  values.of("service").put("a%", "percent");
  values.of("task").put("a", 1);
  expect(values.of("service").get("b")).toEqual({ n: 1 });
  expect(values.of("task").get("b")).toBeUndefined();
  expect(
    values
      .of("service")
      .list()
      .map(({ key }) => key),
  ).toEqual(["a%", "a_1", "b"]);
  expect(
    values
      .of("service")
      .list("a_")
      .map(({ key }) => key),
  ).toEqual(["a_1"]);
  values.of("service").delete("b");
  expect(values.of("service").get("b")).toBeUndefined();
  expect(() => values.of("service").put("f", () => {})).toThrow("not JSON");
});

test("a broken state file is left alone, and said", () => {
  const at = folder();
  writeFileSync(join(at, "broker.db"), "this is no database, and long enough to look like a file".repeat(20));
  const opened = openState(at, kind);
  expect(opened.degradation).toContain("broker.db");
  expect(readFileSync(join(at, "broker.db"), "utf8")).toStartWith("this is no database");
});
