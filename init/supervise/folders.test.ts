import { expect, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../../sys/testing.ts";

test("a service's folders belong to it and to those who call it", async () => {
  const value = await valueInNamespaces(
    `
    for (const target of ["/run", "/var/lib"]) sys.mount.mount({ source: "test", target, type: "tmpfs" });
    const memory = coreSpecs(default_config, "machine").find(({ name }) => name === "memory");
    makeServiceFolders(memory);
    makeInitFolder("memory", 801);
    makeNotifyFolder("foreign", 900);
    makeServiceFolders(coreSpecs(default_config, "machine").find(({ name }) => name === "broker"));
    writeFileSync("/run/aios/secrets/strategic/key", "kept");
    makeServiceFolders(coreSpecs(default_config, "machine").find(({ name }) => name === "strategic"));
    // errors=remount-ro: what is as it has to be is left, and the service starts
    sys.mount.mount({ source: "test", target: "/var/lib", type: "tmpfs", flags: ["remount", "ro"] });
    makeServiceFolders(memory);
    const of = (path) => { const { uid, gid, mode } = statSync(path); return [path, uid, gid, (mode & 0o7777).toString(8)].join(" "); };
    console.log(JSON.stringify(["/var/lib/aios/memory", "/run/aios/memory/reactive", "/run/aios/memory/console", "/run/aios/init/memory", "/run/aios/notify/foreign", "/var/lib/aios/strategic", "/run/aios/secrets", "/run/aios/secrets/strategic", "/run/aios/secrets/strategic/key"].map(of)));
    `,
    {
      imports: `
import { statSync, writeFileSync } from "node:fs";
import { default_config } from ${JSON.stringify(join(import.meta.dir, "../defaults.ts"))};
import { makeInitFolder, makeNotifyFolder, makeServiceFolders } from ${JSON.stringify(join(import.meta.dir, "folders.ts"))};
import { coreSpecs } from ${JSON.stringify(join(import.meta.dir, "table.ts"))};
`,
    },
  );
  expect(value).toEqual([
    "/var/lib/aios/memory 801 801 700",
    "/run/aios/memory/reactive 801 802 2750",
    "/run/aios/memory/console 801 806 2750",
    "/run/aios/init/memory 0 801 750",
    "/run/aios/notify/foreign 0 900 750",
    "/var/lib/aios/strategic 805 805 700",
    "/run/aios/secrets 0 0 711",
    "/run/aios/secrets/strategic 805 805 500",
    "/run/aios/secrets/strategic/key 0 0 644",
  ]);
});
