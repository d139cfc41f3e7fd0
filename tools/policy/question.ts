/** A question of the broker in Cedar's terms. What does not fit is refused in words; nothing is mended. */

import { Principal, type Resource, Role } from "../../contracts/tool.ts";
import type { Question } from "./authorise.ts";
import type { CedarQuestion, CedarValueJson, EntityJson, TypeAndId } from "./cedar.ts";
import type { Mentioned } from "./mentioned.ts";
import { approve_action, kinds, rankOf, roles } from "./vocabulary.ts";

/** Who is asked about: the caller himself, the owner of an agent, whoever granted, whoever approves. */
export interface Subject {
  readonly principal: Principal;
  readonly role: Role | null;
}

/** A subject with its groups; the action with its groups: what the scope of a policy is compared with. */
export interface Named {
  readonly uid: TypeAndId;
  readonly groups: readonly TypeAndId[];
}

const principal_type = { tier: "Tier", person: "Person", agent: "Agent" } as const;
const resources_max = 512;
/** Path components; PATH_MAX allows no more than twice that. */
const depth_max = 1024;

/** People, agents and tools come and go: what is remembered of them is quickly made again. */
const remembered_max = 2000;
const subjects = new Map<string, Named>();
const actions = new Map<string, Named>();

function remembered(map: Map<string, Named>, key: string, make: () => Named): Named {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (map.size >= remembered_max) map.clear();
  map.set(key, made);
  return made;
}

export class BadQuestion extends Error {
  override readonly name = "BadQuestion";
}

/** The same subject is the same object as long as it is remembered. @throws {BadQuestion} */
export function namedSubject(subject: Subject): Named {
  return remembered(subjects, `${subject.role} ${subject.principal}`, () => nameSubject(subject));
}

function nameSubject({ principal, role }: Subject): Named {
  if (!Principal.safeParse(principal).success) throw new BadQuestion(`${quoted(principal)} is no principal`);
  const [kind = "", id = ""] = principal.split(":");
  if (kind === "person") {
    if (!Role.safeParse(role).success || role === null) throw new BadQuestion(`"${principal}" has no role`);
    const held = roles.slice(0, roles.indexOf(role) + 1);
    return { uid: { type: "Person", id }, groups: held.map((name) => ({ type: "Role", id: name })) };
  }
  if (role !== null) throw new BadQuestion(`"${principal}" has the role "${role}", but only people have roles`);
  if (kind === "system") return { uid: { type: "Broker", id: "system" }, groups: [] };
  return { uid: { type: principal_type[kind as keyof typeof principal_type], id }, groups: [] };
}

/** The tool as an action, in its family and the risk of this very call. @throws {BadQuestion} */
export function namedAction(call: Pick<Question, "tool" | "risk">): Named {
  return remembered(actions, `${call.risk} ${call.tool}`, () => nameAction(call));
}

function nameAction({ tool, risk }: Pick<Question, "tool" | "risk">): Named {
  if (!/^[a-z]{2,12}\.[a-z][a-z0-9_]{0,30}$/.test(tool)) throw new BadQuestion(`${quoted(tool)} is no tool's name`);
  if (rankOf(risk) < 0) throw new BadQuestion(`${quoted(risk)} is no risk`);
  const groups = [`${tool.slice(0, tool.indexOf("."))}.*`, `risk:${risk}`];
  return { uid: { type: "Action", id: tool }, groups: groups.map((id) => ({ type: "Action", id })) };
}

export const approving: Named = { uid: { type: "Action", id: approve_action }, groups: [] };

/**
 * The resources of a call, each once. A call that names none touches the system as such.
 * @throws {BadQuestion}
 */
export function resourcesOf(question: Question): readonly Resource[] {
  const { resources, risk } = question;
  if (resources.length === 0) return [{ kind: "system", id: "aios", access: risk === "observe" ? "read" : "write", attributes: {} }];
  if (resources.length === 1) return resources;
  if (resources.length > resources_max)
    throw new BadQuestion(`it touches ${resources.length} resources at once, ${resources_max} at the most: split the call`);
  const seen = new Map<string, Resource>();
  for (const resource of resources) seen.set(JSON.stringify(resource), resource);
  return [...seen.values()];
}

export interface ResourceEntity extends EntityJson {
  readonly uid: TypeAndId;
  readonly parents: TypeAndId[];
}

/** @throws {BadQuestion} */
export function resourceEntity(resource: Resource): ResourceEntity {
  const words = Object.hasOwn(kinds, resource.kind) ? kinds[resource.kind] : undefined;
  if (words === undefined) throw new BadQuestion(`${quoted(resource.kind)} is no kind of resource`);
  const { id } = resource;
  if (typeof id !== "string" || id.length === 0 || id.length > 4200 || !id.isWellFormed() || id.includes("\0"))
    throw new BadQuestion(`the ${resource.kind} ${quoted(id)} has no usable name`);
  return {
    uid: { type: words.type, id },
    attrs: { id, ...attributesOf(resource, words.attributes) },
    parents: resource.kind === "path" ? ancestors(id).map((path) => ({ type: "Path", id: path })) : [],
  };
}

function attributesOf(resource: Resource, known: Readonly<Record<string, string>>): Record<string, string | number | boolean> {
  const found: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(resource.attributes)) {
    const wanted = Object.hasOwn(known, name) ? known[name] : undefined;
    if (wanted === undefined)
      throw new BadQuestion(
        `the ${resource.kind} ${quoted(resource.id)} comes with ${quoted(name)}, which tools/policy/vocabulary.ts does not know`,
      );
    if (!fits(value, wanted))
      throw new BadQuestion(`"${name}" of the ${resource.kind} ${quoted(resource.id)} is ${quoted(value)}, no ${wanted}`);
    found[name] = value;
  }
  return found;
}

function fits(value: string | number | boolean, type: string): boolean {
  if (type === "String") return typeof value === "string" && value.isWellFormed();
  if (type === "Long") return typeof value === "number" && Number.isSafeInteger(value);
  return typeof value === "boolean";
}

/**
 * The folders above a path, the nearest first.
 * @throws {BadQuestion} unless it is absolute and plain: no `.`, `..`, empty component or slash at its end
 */
function ancestors(path: string): string[] {
  if (path === "/") return [];
  const names = path.split("/");
  if (names.shift() !== "" || names.some((name) => name === "" || name === "." || name === ".."))
    throw new BadQuestion(`the path ${quoted(path)} is not canonical`);
  if (names.length > depth_max) throw new BadQuestion(`a path is ${names.length} folders deep, ${depth_max} at the most`);
  const found: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) found.push(path.slice(0, end));
  found.push("/");
  return found;
}

/** What one question about one resource is made of. */
export interface Asked {
  readonly subject: Subject;
  readonly named: Named;
  readonly action: Named;
  readonly resource: Resource;
  readonly entity: ResourceEntity;
}

/** @param mentioned what the policies that are asked speak of; null: hand over everything */
export function cedarQuestion({ named, action, entity }: Asked, context: AskedContext, mentioned: Mentioned | null): CedarQuestion {
  const others = [action, named]
    .filter(({ groups }) => groups.length > 0)
    .map(({ uid, groups }) => ({ uid, attrs: {}, parents: [...groups] }));
  if (mentioned === null) return { principal: named.uid, action: action.uid, resource: entity.uid, context, entities: [entity, ...others] };
  // no resource has an empty name (resourceEntity)
  const uid = mentioned.names(entity.uid) ? entity.uid : { type: entity.uid.type, id: "" };
  const slim = {
    uid,
    attrs: only(entity.attrs, mentioned.attributes),
    parents: entity.parents.filter((one) => mentioned.paths.has(one.id)),
  };
  return {
    principal: named.uid,
    action: action.uid,
    resource: uid,
    context: only(context, mentioned.attributes),
    entities: [slim, ...others],
  };
}

function only(record: Readonly<Record<string, CedarValueJson>>, names: ReadonlySet<string>): Record<string, CedarValueJson> {
  const kept: Record<string, CedarValueJson> = {};
  for (const name in record) {
    const value = record[name];
    if (value !== undefined && names.has(name)) kept[name] = value;
  }
  return kept;
}

export type AskedContext = Record<string, CedarValueJson>;

/** @param approved whether to ask as if a person had approved the call @throws {BadQuestion} */
export function contextOf(question: Question, resource: Resource, approved: boolean): AskedContext {
  const { tainted, calls_last_hour, cost_today_usd, now_ms } = question.context;
  const callers = question.owner === null ? [question.principal] : [question.principal, question.owner];
  return {
    callers,
    access: resource.access,
    risk_rank: rankOf(question.risk),
    tainted,
    approved,
    calls_last_hour: Math.floor(whole("calls_last_hour", calls_last_hour) / calls_step) * calls_step,
    cost_today_cents: Math.ceil(whole("cost_today_usd", Math.ceil(cost_today_usd * 100)) / cents_step) * cents_step,
    now_ms: whole("now_ms", Math.floor(now_ms)),
  };
}

/** What grows with each call is told in steps: between two of them a question is the same, and so is its answer. */
const calls_step = 100;
const cents_step = 10;

function whole(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new BadQuestion(`"${name}" is ${value}`);
  return value;
}

/** As a JSON string, so that no control character reaches a log or a terminal, and short. */
export function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : String(value);
  const short = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return JSON.stringify(short);
}
