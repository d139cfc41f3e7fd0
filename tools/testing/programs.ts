/** The programs that start programs, built from this checkout: outside the image they are nowhere else. */

import { join } from "node:path";
import type { ExecPrograms } from "../exec/argv.ts";

const checkout = join(import.meta.dir, "../..");
let built: Promise<ExecPrograms> | null = null;

export function testPrograms(): Promise<ExecPrograms> {
  built ??= (async () => {
    const { compileStatic, makeFilter } = await import("../../image/programs.ts");
    await compileStatic();
    await makeFilter();
    return { launch: join(checkout, "build/bin/launch"), bwrap: "/usr/bin/bwrap", filter: join(checkout, "build/seccomp/service.bpf") };
  })();
  return built;
}
