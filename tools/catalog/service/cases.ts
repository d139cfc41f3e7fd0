/** Cases of the service tools (testing/case.ts). */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ToolCase, World } from "../../testing/case.ts";
import { servicesIn } from "../../testing/pid1.ts";
import { valuesIn } from "../../testing/values.ts";

const pid1File = ({ places }: World): string => join(places.data, "..", "pid1.json");

/** Definitions, what runs and with which definition, and the folders. */
function observe(world: World): unknown {
  const services = Object.entries(servicesIn(pid1File(world))).map(([name, { definition, state, runs }]) => ({
    name,
    definition,
    state,
    runs,
  }));
  const seen = {
    services,
    kept: valuesIn(world.places.broker, "service", "service:"),
    folder: existsSync(join(world.places.data, "services/web")),
  };
  return JSON.parse(JSON.stringify(seen).replaceAll(world.places.data, "/data")); // worlds lie in different folders
}

const web = { name: "web", argv: ["/bin/sleep", "1"], env: { PORT: "80" } };

function on(
  tool: string,
  name: string,
  args: Record<string, unknown>,
  before: readonly [tool: string, args: Record<string, unknown>][],
  more: Partial<ToolCase> = {},
): ToolCase {
  return {
    tool,
    name,
    async prepare(world) {
      for (const [first, first_args] of before) await world.call(first, first_args);
      return args;
    },
    observe,
    bad: () => [
      { ...args, name: "../x" },
      { ...args, name: "nobody" },
    ],
    ...more,
  };
}

const bad_definitions: Partial<ToolCase> = {
  bad: () => [
    { ...web, name: "memory" },
    { ...web, name: "UPPER" },
    { ...web, argv: ["sleep"] },
    { ...web, argv: ["/no/such"] },
    { ...web, argv: ["/etc/passwd"] },
    { ...web, after: ["nobody"] },
    { ...web, uid: 0 },
    { ...web, env: { LD_PRELOAD: "/x" } },
    { ...web, writes: ["/no/such"] },
    { ...web, root: "/no/such" },
  ],
};

const defined: readonly [string, Record<string, unknown>][] = [["service.define", web]];
const stopped: readonly [string, Record<string, unknown>][] = [...defined, ["service.stop", { name: "web" }]];

export const service_cases: readonly ToolCase[] = [
  on("service.define", "a new one", web, [], bad_definitions),
  on(
    "service.define",
    "another definition of one that runs",
    { ...web, argv: ["/bin/sleep", "2"], network: true },
    defined,
    bad_definitions,
  ),
  on("service.define", "without starting it", { ...web, start: false, enabled: false }, [], bad_definitions),
  on("service.start", "one that is stopped", { name: "web" }, stopped),
  on("service.start", "one that runs", { name: "web" }, defined),
  on("service.stop", "one that runs", { name: "web" }, defined),
  on("service.restart", "one that runs", { name: "web" }, defined),
  on("service.restart", "one that is stopped", { name: "web" }, stopped),
  on("service.enable", "a disabled one", { name: "web" }, [...defined, ["service.disable", { name: "web" }]]),
  on("service.disable", "an enabled one", { name: "web" }, defined),
  on("service.remove", "one that runs", { name: "web" }, defined),
  on("service.remove", "one that is stopped", { name: "web" }, stopped),
  on("service.status", "of one", { name: "web" }, defined),
  on("service.logs", "of one", { name: "web" }, defined),
  on("service.list", "all", {}, defined, { bad: () => [{ defined: 1 }] }),
  on("service.usage", "of all", {}, defined, { bad: () => [{ service: "web" }] }),
];
