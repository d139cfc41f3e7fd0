import { expect, test } from "bun:test";
import type { Exec, Finished } from "../../exec/exec.ts";
import { readTable, transact } from "./nft.ts";

const usual: Finished = {
  ...{ status: 0, signal: null, ended_for: null, stdout: Buffer.from('{"nftables":[]}'), stderr: Buffer.alloc(0) },
  ...{ stdout_dropped_bytes: 0, stderr_dropped_bytes: 0, took_ms: 15_000, cpu_ms: null, memory_peak_bytes: null },
};

/** nft(8), as it ended. */
const ended = (how: Partial<Finished>) => ({ exec: { run: () => Promise.resolve({ ...usual, ...how }) } as unknown as Exec });
const too_slow = { status: null, signal: "SIGKILL", ended_for: "timeout" } as const;
const refuses = (text: string) => ({ status: 1, stderr: Buffer.from(text) });

test("a change says why it failed, in nft's own words or in how it ended", async () => {
  await expect(transact(ended(refuses("Error: syntax error\n")), [], "changing it")).rejects.toThrow(
    "changing it failed: Error: syntax error",
  );
  await expect(transact(ended(too_slow), [], "changing it")).rejects.toThrow(
    "changing it failed: it was ended after 15000 ms, which was its limit",
  );
});

test("a table that is not there is none; what was not read is no table that is not there", async () => {
  expect(await readTable(ended(refuses("Error: No such file or directory\nlist table inet aios\n")), "aios")).toBeNull();
  await expect(readTable(ended(too_slow), "aios")).rejects.toThrow(
    'reading the table "aios" of the firewall failed: it was ended after 15000 ms',
  );
  await expect(readTable(ended(refuses("Error: Operation not permitted\n")), "aios")).rejects.toThrow("Operation not permitted");
});
