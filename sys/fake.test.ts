import { expect, test } from "bun:test";
import { SysError } from "./errors.ts";
import { fakeSystem, UnscriptedCall } from "./fake.ts";

test("scripted calls are answered in order, and errors carry their errno", () => {
  const sys = fakeSystem([
    { call: "process.peekDead", returns: 12 },
    { call: "process.kill", args: [7, 9], fails: "ESRCH" },
    { call: "descriptor.read", does: (_fd, into) => into.fill(1).length },
  ]);
  expect(sys.process.peekDead()).toBe(12);
  let caught: unknown;
  try {
    sys.process.kill(7, 9);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(SysError);
  expect(caught).toMatchObject({ code: "ESRCH", errno: 3 });
  const bytes = new Uint8Array(2);
  expect(sys.descriptor.read(3, bytes)).toBe(2);
  expect([...bytes]).toEqual([1, 1]);
  sys.done();
});

test("a call that the script does not foresee throws: another call, other arguments, one too many", () => {
  expect(() => fakeSystem([{ call: "power.sync" }]).process.peekDead()).toThrow(
    "calling process.peekDead() failed: step 1 of the script is power.sync",
  );
  expect(() => fakeSystem([{ call: "process.kill", args: [7, 9] }]).process.kill(8, 9)).toThrow(UnscriptedCall);
  expect(() => fakeSystem([]).power.sync()).toThrow("the script ended after 0 calls");
});

test("a foreseen call that does not come is an error at the end", () => {
  expect(() => fakeSystem([{ call: "power.sync" }]).done()).toThrow("step 1 of 1, power.sync, did not come");
});
