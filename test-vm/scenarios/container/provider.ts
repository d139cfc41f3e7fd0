/** The provider of the tests as a service of the container: the strategic tier reaches it on loopback, by the real SDK. */

import { chmodSync, cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { ScriptText } from "../../../agents/testing/provider/script.ts";
import { counted } from "../../../agents/testing/provider/server.ts";
import { run } from "../../../tooling/run.ts";
import type { Container } from "../../container.ts";
import { testPrograms } from "../../fixtures/programs.ts";
import { checkout, newFolder } from "../../places.ts";

const port = 8093;
/** How often a model was asked, as its server counts. */
export function requestsInside(container: Container): number {
  const argv = ["nsenter", "-t", String(container.pid), "-n", "curl", "-sf", `http://127.0.0.1:${port}${counted}`];
  const { exitCode, stdout } = Bun.spawnSync(argv);
  if (exitCode !== 0) throw new Error(`asking the provider for its number of requests failed: curl ended with ${exitCode}`);
  return Number(stdout.toString());
}

const key = "sk-test-Vb5Nq8Rw2Xk7";

/** @returns a folder for /mnt, and the part of aios.yaml that starts the provider and names it */
export async function providerInside(script: ScriptText): Promise<{ readonly programs: string; readonly config: string }> {
  const programs = newFolder("programs");
  cpSync(await testPrograms(), programs, { recursive: true });
  const runtime = join(checkout, "node_modules/.bin/bun");
  await run([runtime, "build", "--compile", "--outfile", join(programs, "provider"), join(checkout, "agents/testing/provider/main.ts")]);
  writeFileSync(join(programs, "script.yaml"), stringify(script, { aliasDuplicateObjects: false }));
  for (const [path, mode] of [
    ["", 0o755],
    ["provider", 0o755],
    ["script.yaml", 0o444],
  ] as const)
    chmodSync(join(programs, path), mode);
  const config = stringify({
    extra_services: { provider: { argv: ["/mnt/provider", "/mnt/script.yaml", String(port), key], network: true } },
    tiers: {
      strategic: {
        providers: [
          {
            ...{ kind: "anthropic", model: "claude-opus-5-5", base_url: `http://127.0.0.1:${port}`, key: { value: key } },
            price: { input: 5, output: 25 },
          },
        ],
      },
    },
  });
  return { programs, config };
}
