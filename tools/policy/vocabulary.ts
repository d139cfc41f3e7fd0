/**
 * The words of the policies: kinds of resources with what is known of them, families of tools, and Cedar's schema made of
 * both. A question with an attribute that is not here is denied, for no policy can have been written with it in mind.
 */

import type { Resource, Risk } from "../../contracts/tool.ts";
import type { SchemaJson } from "./cedar.ts";

export type Kind = Resource["kind"];
type AttributeType = "String" | "Long" | "Boolean";
export type Attributes = Readonly<Record<string, AttributeType>>;

interface KindWords {
  /** Its name as a Cedar entity type. */
  readonly type: string;
  /** Each may be absent, so policies ask `resource has …` first. */
  readonly attributes: Attributes;
}

/** README.md says what each means. `id` is there for every kind: the resource's id as a string, for `like`. */
export const kinds: Readonly<Record<Kind, KindWords>> = {
  path: {
    type: "Path",
    attributes: {
      ...{ exists: "Boolean", type: "String", mode: "Long", uid: "Long", gid: "Long", links: "Long", size_bytes: "Long" },
      ...{ device: "String", setuid: "Boolean", file_system: "String", mount: "String", mount_options: "String", read_only: "Boolean" },
      ...{ alias_of: "String", recursive: "Boolean", purpose: "String", root: "String", mounts: "String", allow_setuid: "Boolean" },
    },
  },
  process: {
    type: "Process",
    attributes: {
      ...{ uid: "Long", name: "String", exe: "String", service: "String", slice: "String", call: "String" },
      ...{ core: "Boolean", kernel: "Boolean", spawned_by: "String" },
      ...{ program: "String", sandbox: "String", background: "Boolean", network: "Boolean", writes: "Long" },
    },
  },
  service: {
    type: "Service",
    attributes: {
      ...{ owner: "String", core: "Boolean", defined: "Boolean", exists: "Boolean", enabled: "Boolean", state: "String" },
      ...{ program: "String", root: "String", network: "Boolean", writes: "Long", restart: "String", ports: "String" },
    },
  },
  interface: { type: "Interface", attributes: { type: "String", loopback: "Boolean" } },
  address: {
    type: "Address",
    attributes: {
      ...{ host: "String", address: "String", port: "Long", protocol: "String", reach: "String" },
      ...{ listed: "Boolean", duration_ms: "Long", single: "Boolean", lifeline: "Boolean", owner: "String" },
    },
  },
  port: { type: "Port", attributes: { port: "Long", protocol: "String", owner: "String", privileged: "Boolean" } },
  firewall: { type: "Firewall", attributes: {} },
  package: { type: "Package", attributes: { version: "String", installed: "Boolean", signed: "Boolean", origin: "String" } },
  principal: { type: "Account", attributes: { own: "Boolean", owner: "String", risk: "Long" } },
  secret: { type: "Secret", attributes: { owner: "String", exists: "Boolean", consumer: "String", intended: "Boolean" } },
  certificate: { type: "Certificate", attributes: { owner: "String", exists: "Boolean", consumer: "String", intended: "Boolean" } },
  timer: { type: "Timer", attributes: { principal: "String", tool: "String", risk: "String", recurring: "Boolean" } },
  document: { type: "Document", attributes: { exists: "Boolean", shipped: "Boolean", author: "String" } },
  memory: { type: "Memory", attributes: {} },
  model: { type: "Model", attributes: { present: "Boolean", shipped: "Boolean", in_use: "Boolean", licence: "String" } },
  setting: { type: "Setting", attributes: {} },
  system: { type: "System", attributes: { keeps: "Long", days: "Long" } },
};

const principal_types = ["Tier", "Person", "Agent", "Broker"] as const;
export const roles = ["observer", "operator", "admin"] as const;
/** From harmless to final; a risk's rank is its place. */
export const risks = ["observe", "reversible", "compensable", "irreversible"] as const satisfies readonly Risk[];

export function rankOf(risk: Risk): number {
  return risks.indexOf(risk);
}

/** Whoever decides an approval asks with this action in place of a tool. */
export const approve_action = "approve";

/** Kinds that the tools of a family name, for the schema. */
export const families: Readonly<Record<string, readonly Kind[]>> = {
  fs: ["path"],
  process: ["process", "path", "service", "secret", "system"],
  service: ["service", "path", "process", "secret", "certificate", "system"],
  net: ["interface", "address", "port", "firewall", "setting", "path", "secret"],
  pkg: ["package", "path", "address", "system"],
  sec: ["principal", "secret", "certificate", "service", "address", "path", "port", "system"],
  sys: ["system", "setting", "path", "service", "process"],
  task: ["timer", "system"],
  knowledge: ["document"],
  goal: ["memory"],
  memory: ["memory"],
  model: ["model", "address", "setting"],
};

/** `risk_rank`: 0 observe, 1 reversible, 2 compensable, 3 irreversible. Besides, `callers`: the caller and the owner of an agent. */
const context_types = {
  access: "String",
  risk_rank: "Long",
  tainted: "Boolean",
  approved: "Boolean",
  // in whole hundreds, those that are full: compare by >=; and in tens, those that are begun: compare by > (question.ts)
  calls_last_hour: "Long",
  cost_today_cents: "Long",
  now_ms: "Long",
} as const;

/** @param tools that policies may name */
export function makeSchema(tools: readonly string[]): SchemaJson<string> {
  const all_kinds = Object.keys(kinds) as Kind[];
  const groups = [...Object.keys(families).map((name) => `${name}.*`), ...risks.map((risk) => `risk:${risk}`)];
  const context = {
    type: "Record" as const,
    attributes: {
      ...Object.fromEntries(Object.entries(context_types).map(([name, type]) => [name, { type }])),
      callers: { type: "Set" as const, element: { type: "String" as const } },
    },
  };
  const applied = (to: readonly Kind[]) => ({
    principalTypes: [...principal_types],
    resourceTypes: to.map((kind) => kinds[kind].type),
    context,
  });
  const tool_actions = tools.map((tool) => {
    const family = tool.slice(0, tool.indexOf("."));
    const member_of = [`${family}.*`, ...risks.map((risk) => `risk:${risk}`)].map((id) => ({ id }));
    return [tool, { memberOf: member_of, appliesTo: applied(families[family] ?? all_kinds) }] as const;
  });
  return {
    "": {
      entityTypes: {
        Role: {},
        Tier: {},
        Agent: {},
        Broker: {},
        Person: { memberOfTypes: ["Role"] },
        ...Object.fromEntries(Object.values(kinds).map((kind) => [kind.type, entityType(kind)])),
      },
      actions: {
        ...Object.fromEntries(groups.map((group) => [group, {}])),
        ...Object.fromEntries(tool_actions),
        [approve_action]: { appliesTo: applied(all_kinds) },
      },
    },
  };
}

function entityType({ type, attributes }: KindWords) {
  const optional = Object.entries(attributes).map(([name, of]) => [name, { type: of, required: false }] as const);
  return {
    memberOfTypes: type === "Path" ? [type] : [],
    shape: { type: "Record" as const, attributes: { id: { type: "String" as const }, ...Object.fromEntries(optional) } },
  };
}
