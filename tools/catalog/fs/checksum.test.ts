/** Checksums of whole files. */

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { callTool, testPlaces } from "../../testing/context.ts";
import { checksum } from "./checksum.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { work } = tests;
afterAll(() => tests.remove());

test("is that of the whole content", async () => {
  const path = join(work, "sum");
  writeFileSync(path, "x".repeat(3_000_000));
  for (const algorithm of ["sha256", "sha512", "blake2b512", "sha1", "md5"] as const) {
    const digest = new Bun.CryptoHasher(algorithm).update("x".repeat(3_000_000)).digest("hex");
    expect((await callTool(checksum, { path, algorithm }, tests.context())).output).toEqual({
      path,
      algorithm,
      digest,
      size_bytes: 3_000_000,
      changed: false,
    });
  }
  await expect(callTool(checksum, { path: "/dev/zero" }, tests.context())).rejects.toThrow("character device");
});
