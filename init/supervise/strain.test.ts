import { expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readStrain } from "./strain.ts";

test("the strain is the kernel's own figure; none where it does not tell", () => {
  const file = join(mkdtempSync(join(tmpdir(), "psi-")), "cpu");
  expect(readStrain(file)).toBe(0);
  writeFileSync(file, "some avg10=62.50 avg60=3.00 avg300=1.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  expect(readStrain(file)).toBe(0.625);
  writeFileSync(file, "");
  expect(readStrain(file)).toBe(0);
  expect(readStrain()).toBeGreaterThanOrEqual(0);
});
