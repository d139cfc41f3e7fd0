import { expect, test } from "bun:test";
import { demandRoom } from "./store.ts";

const mib = 1024 * 1024;

test.each([
  ["of a small disk 64 MiB", 500, 64],
  ["of a common one a twentieth", 20_000, 1000],
  ["of a large one 2 GiB", 250_000, 2048],
])("a model leaves the others %s", (_, size, kept) => {
  const disk = (free: number) => ({ bavail: free, blocks: size, bsize: mib });
  expect(() => demandRoom("/models", 100 * mib, "fetching it", disk(kept + 100))).not.toThrow();
  expect(() => demandRoom("/models", 100 * mib, "fetching it", disk(kept + 99))).toThrow(
    `fetching it failed: 100 MiB are still to come and ${kept} MiB have to stay free, and "/models" has ${kept + 99} MiB free; make room`,
  );
});
