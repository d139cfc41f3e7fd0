/** Programs that run in namespaces of their own, with the real tools in the test's own places. */

import { join } from "node:path";

const here = (path: string): string => JSON.stringify(join(import.meta.dir, path));

/** What is put out by `say` is the answer. `ask` asks the tools; `room` is the path of a file of the patrol. */
export const rig_source = `
import { execRig } from ${here("../../../../tools/exec/testing/context.ts")};
import { testPlaces } from ${here("../../../../tools/testing/context.ts")};
import { mkdirSync } from "node:fs";
import { ipOf, realTools } from ${here("real-tools.ts")};
const tests = testPlaces();
mkdirSync(tests.places.run + "/etc", { recursive: true });
const rig = execRig(tests);
const ask = realTools(() => rig.context());
const ip = (line) => ipOf(...line.split(" "));
const room = (file) => ${here("..")} + "/" + file;
const say = (value) => { tests.remove(); process.stdout.write(JSON.stringify(value)); process.exit(0); };
`;

/** What never ends is ended, below the limit of a test. */
const limit_ms = 240_000;

/** @param namespaces arguments for unshare(1) @throws with what it said when it put out nothing */
export async function inNamespaces(namespaces: readonly string[], source: string): Promise<unknown> {
  const argv = ["unshare", ...namespaces, "--", process.execPath, "-e", source];
  const child = Bun.spawn(argv, { stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: limit_ms, killSignal: "SIGKILL" });
  const [said, error] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if (said === "") throw new Error(`a program in namespaces failed: ${error}`);
  return JSON.parse(said);
}
