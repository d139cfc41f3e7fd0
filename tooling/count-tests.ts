/** Preloaded by `make test`: each test that has ended is a byte in the file AIOS_TESTS_TALLY; bun writes its report only at the end. */

import { afterEach } from "bun:test";
import { appendFileSync } from "node:fs";

const tally = process.env["AIOS_TESTS_TALLY"];
if (tally !== undefined) afterEach(() => appendFileSync(tally, "."));
