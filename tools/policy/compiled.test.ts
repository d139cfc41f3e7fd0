/** Cedar in a compiled executable, from files beside it, as in the image; with the environment that the broker is started with. */

import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const checkout = join(import.meta.dir, "../..");
const folder = mkdtempSync(join(tmpdir(), "aios-cedar-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("an executable with nothing but its node_modules decides", async () => {
  const program = join(folder, "program.ts");
  writeFileSync(
    program,
    `import { createAuthority } from ${JSON.stringify(join(import.meta.dir, "engine.ts"))};
       import { ask } from ${JSON.stringify(join(import.meta.dir, "testing/questions.ts"))};
       const authority = await createAuthority();
       console.log(JSON.stringify([authority.degradation, ...process.argv.slice(2).map((line) => authority.decide(ask(line)).effect)]));`,
  );
  const executable = join(folder, "bin/program");
  const options = ["--compile", "--minify-syntax", "--bytecode", "--format=esm", "--external=@cedar-policy/cedar-wasm"];
  const made = Bun.spawnSync([process.execPath, "build", ...options, program, "--outfile", executable], { cwd: checkout });
  expect(made.stderr.toString()).not.toContain("error");
  const shipped = join(folder, "bin/node_modules/@cedar-policy/cedar-wasm");
  mkdirSync(join(shipped, "nodejs"), { recursive: true });
  for (const file of ["nodejs/cedar_wasm.js", "nodejs/cedar_wasm_bg.wasm", "nodejs/package.json", "package.json"])
    cpSync(join(checkout, "node_modules/@cedar-policy/cedar-wasm", file), join(shipped, file));
  const lines = ["tier:tactical fs.write path:/srv/a", "tier:tactical fs.write path:/etc/a", "tier:tactical fs.read path:/etc/shadow"];
  const env = { BUN_JSC_useJIT: "1", BUN_JSC_useFTLJIT: "0", BUN_JSC_useConcurrentJIT: "0" };
  const ran = Bun.spawnSync([executable, ...lines], { cwd: join(folder, "bin"), env });
  expect(ran.stdout.toString()).toBe('[null,"allow","approval","deny"]\n');
}, 180_000);
