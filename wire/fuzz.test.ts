import { test } from "bun:test";
import { fuzzChildProtocol } from "./fuzz.ts";

test("500 random cases at the child protocol", async () => {
  await fuzzChildProtocol(500, 42);
}, 60_000);
