import { test } from "bun:test";
import { fuzzTemplates } from "./fuzz.ts";

test("500 cases of hostile lines", () => {
  fuzzTemplates(500, 42);
}, 600_000);
