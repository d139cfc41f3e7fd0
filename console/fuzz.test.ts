import { test } from "bun:test";
import { fuzzConsole } from "./fuzz.ts";

test("500 random cases at a live console", async () => {
  await fuzzConsole(500, 42);
}, 60_000);
