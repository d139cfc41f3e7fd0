import { test } from "bun:test";
import { fuzzListener } from "./fuzz.ts";

test("500 random cases at the listening side of a socket", async () => {
  await fuzzListener(500, 42);
}, 120_000);
