/** The phases on a /run and a data folder of their own, in namespaces. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../../sys/testing.ts";

const here = (name: string): string => JSON.stringify(join(import.meta.dir, name));
const imports = `
import { hostName, machineId } from ${here("identity.ts")};
import { testBoot } from ${here("testing.ts")};
import { mkdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
for (const target of ["/run", "/var/lib"]) sys.mount.mount({ source: "test", target, type: "tmpfs" });
mkdirSync("/var/lib/aios");
const text = (path) => { try { return readFileSync(path, "utf8"); } catch { return "not there"; } };
`;

test("the host name is the kernel's and stands in its file", async () => {
  const source = `
    const boot = testBoot(sys);
    boot.state.config = { ...boot.state.config, hostname: "lighthouse" };
    const { outcome } = await hostName.run(boot);
    console.log(JSON.stringify([outcome, hostname(), text("/run/aios/etc/hostname"), text("/run/aios/net/hostname")]));
  `;
  expect(await valueInNamespaces(source, { imports })).toEqual(["done", "lighthouse", "lighthouse\n", "lighthouse\n"]);
});

test("the machine id is the same at the next boot", async () => {
  const source = `
    const ids = [];
    for (const turn of [1, 2]) {
      const boot = testBoot(sys);
      boot.state.data = { ...boot.state.data, persistent: true };
      await machineId.run(boot);
      ids.push(boot.state.machine_id);
    }
    console.log(JSON.stringify({ length: ids[0].length, same: ids[0] === ids[1], etc: text("/run/aios/etc/machine-id") === ids[1] + "\\n" }));
  `;
  expect(await valueInNamespaces(source, { imports })).toEqual({ length: 32, same: true, etc: true });
});
