/** Cases of the tools of permission (testing/case.ts). */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { openReadOnly } from "../../../wire/database.ts";
import type { ToolCase, World } from "../../testing/case.ts";

/** What is in force, as the broker's database has it. */
function inForce({ places }: World, columns: { readonly grants: string; readonly agents: string }): unknown {
  const path = join(places.broker, "broker.db");
  if (!existsSync(path)) return { grants: [], agents: [] };
  const db = openReadOnly(path);
  try {
    return {
      grants: db.prepare(`SELECT ${columns.grants} FROM grants WHERE revoked_ms IS NULL AND expired = 0 ORDER BY number`).all(),
      agents: db.prepare(`SELECT ${columns.agents} FROM agents WHERE ended_ms IS NULL ORDER BY number`).all(),
    };
  } finally {
    db.close();
  }
}

const observe = (world: World) => inForce(world, { grants: "*", agents: "*" });
const effect = (world: World) =>
  inForce(world, { grants: "principal, scope, reason, granted_by, granter_role, calls_used", agents: "name, owner, task" });

const scope = { tools: ["fs.write"], resources: [{ kind: "path", id: "/srv/www" }], reason: "the task needs it" };
const looked = { observe, effect };

async function agentWithGrants(world: World): Promise<{ readonly grant: unknown }> {
  await world.call("sec.lease", { name: "web-setup", task: "set up the web server" });
  await world.call("sec.grant", { principal: "agent:web-setup", ...scope, calls_max: 3 });
  return await world.call("sec.grant", { principal: "agent:web-setup", ...scope, tools: ["fs.*"] }).then(({ grant }) => ({ grant }));
}

const bad_scopes = () => [
  { tools: [] },
  { tools: ["*"] },
  { tools: ["fs.write; permit(principal, action, resource);"] },
  { resources: [] },
  { resources: [{ kind: "path", id: "/srv/../etc" }] },
  { resources: [{ kind: "path", id: "srv" }] },
  { resources: [{ kind: "path", id: "/srv/\0" }] },
  { resources: [{ kind: "planet", id: "x" }] },
  { expires_in_s: 1 },
  { calls_max: 0 },
  { risk: "none" },
  { reason: "" },
];

export const permission_cases: readonly ToolCase[] = [
  {
    tool: "sec.grant",
    name: "to a tier",
    prepare: () => ({ principal: "tier:tactical", ...scope }),
    ...looked,
    bad: () => [
      ...bad_scopes().map((one) => ({ principal: "tier:tactical", ...scope, ...one })),
      { principal: "root", ...scope },
      { principal: "system", ...scope },
      { principal: "agent:nobody", ...scope },
    ],
  },
  {
    tool: "sec.request",
    name: "of one's own",
    prepare: () => ({ ...scope, calls_max: 5 }),
    ...looked,
    bad: () => bad_scopes().map((one) => ({ ...scope, ...one })),
  },
  {
    tool: "sec.revoke",
    name: "a grant of an agent",
    prepare: agentWithGrants,
    ...looked,
    bad: () => [{ grant: "grant-99" }, { grant: "grant-x" }, { grant: "1 OR 1=1" }],
  },
  {
    tool: "sec.lease",
    name: "an agent",
    prepare: () => ({ name: "web-setup", task: "set up the web server" }),
    ...looked,
    bad: () => [
      { name: "Web", task: "x" },
      { name: 'a"b', task: "x" },
      { name: "web", task: "" },
      { name: "web", task: "x", expires_in_s: 1 },
    ],
  },
  {
    tool: "sec.release",
    name: "an agent with grants",
    prepare: async (world) => {
      await agentWithGrants(world);
      return { name: "web-setup" };
    },
    ...looked,
    bad: () => [{ name: "nobody" }, { name: "../web-setup" }],
  },
];
