import { expect, test } from "bun:test";
import { ToolError } from "../tool.ts";
import { bounded, Runaway } from "./bounded.ts";

test("quick work is not disturbed, and its error is its own", async () => {
  expect(await bounded("adding", 1000, null, () => 1 + 1)).toBe(2);
  expect(
    bounded("failing", 1000, null, () => {
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
});

test("slow work is told to stop and fails with its limit", async () => {
  let told = false;
  const work = (signal: AbortSignal) =>
    new Promise<void>((_, reject) =>
      signal.addEventListener("abort", () => {
        told = true;
        reject(new Error("stopped"));
      }),
    );
  const failed = await bounded("waiting", 20, null, work).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ToolError);
  expect(String(failed)).toContain("waiting failed: it took longer than 20 ms");
  expect(told).toBe(true);
});

test("a call that was cancelled before does not begin", async () => {
  const cancelled = AbortSignal.abort(new ToolError("enough"));
  let begun = false;
  const work = (): void => {
    begun = true;
  };
  await expect(bounded("working", 1000, cancelled, work)).rejects.toThrow("enough");
  expect(begun).toBe(false);
});

test("work that does not stop is a runaway", async () => {
  const failed = await bounded("waiting for ever", 10, null, () => new Promise(() => {})).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(Runaway);
}, 20_000);
