/** The program of the services under test, compiled static: it runs in either root. */

import { join } from "node:path";
import { cached, keyOf } from "../../tooling/cache.ts";
import { run } from "../../tooling/run.ts";
import { checkout } from "../places.ts";

const source = join(checkout, "test-vm/fixtures/patient.c");
/** SQLite as better-sqlite3 carries it. */
const sqlite = join(checkout, "node_modules/better-sqlite3/deps/sqlite3");

/** A folder with the program in it. */
export function patientProgram(): Promise<string> {
  const files = [source, join(sqlite, "sqlite3.c"), join(sqlite, "sqlite3.h")];
  return cached("fault-programs", keyOf({ files }), async (folder) => {
    const flags = ["-static", "-Os", "-w", "-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", `-I${sqlite}`];
    await run(["musl-gcc", ...flags, "-o", join(folder, "patient"), source, join(sqlite, "sqlite3.c")]);
  });
}
