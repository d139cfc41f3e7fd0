/** Against swtpm, whose libtpms is the reference code of the TCG. */

import { afterAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSoftTpm } from "../testing/swtpm.ts";
import { Answer, TpmError } from "./command.ts";
import { machineTpm } from "./tpm.ts";

const folder = mkdtempSync(join(tmpdir(), "tpm-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("what is sealed opens in the same TPM, also after it was started again, as often as wanted", async () => {
  const secret = randomBytes(32);
  const first = await startSoftTpm(join(folder, "one"));
  const blob = await first.tpm.seal(secret);
  expect(Buffer.concat([blob.private, blob.public]).includes(secret)).toBe(false);
  for (let round = 0; round < 8; round += 1) expect(await first.tpm.unseal(blob)).toEqual(secret); // nothing stays loaded
  await first.end();
  const again = await startSoftTpm(join(folder, "one"));
  expect(await again.tpm.unseal(blob)).toEqual(secret);
  await again.end();
});

test("another TPM says that the blob is foreign", async () => {
  const first = await startSoftTpm(join(folder, "two"));
  const blob = await first.tpm.seal(randomBytes(32));
  await first.end();
  const other = await startSoftTpm(join(folder, "three"));
  const error = await other.tpm.unseal(blob).catch((one: unknown) => one);
  expect(error).toBeInstanceOf(TpmError);
  expect(error).toMatchObject({ foreign: true, message: "the TPM answered Load with TPM_RC_INTEGRITY (0x1df)" });
  const own = await other.tpm.seal(Buffer.from("x"));
  const flipped = Buffer.from(own.private);
  flipped[flipped.length - 1] = (flipped[flipped.length - 1] ?? 0) ^ 1;
  expect(await other.tpm.unseal({ ...own, private: flipped }).catch((one: unknown) => one)).toMatchObject({ foreign: true });
  await other.end();
});

test("what is no answer is an error, not a crash", () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(9), Buffer.from("8001000000ff00000000", "hex")])
    expect(() => new Answer("Unseal", bytes)).toThrow("do not fit their header");
  const short = new Answer("Unseal", Buffer.from("80010000000c000000000020", "hex"));
  expect(() => short.sized()).toThrow("ends too early");
});

test("a machine without a TPM has none", () => {
  expect(machineTpm(join(folder, "no-device"))).toBeNull();
});
