/**
 * The policies of the image: parsed, and each held against its own examples. With one fault nothing of them is used: a
 * policy set with a hole in it is worse than none.
 */

import { data_dir, run_dir } from "../../contracts/paths.ts";
import type { Principal } from "../../contracts/tool.ts";
import { type CedarModule, ParsedSets, type PolicyJson } from "./cedar.ts";
import { readChecked } from "./checked.ts";
import { type Example, parseExamples } from "./example.ts";
import { approving, cedarQuestion, contextOf, namedAction, namedSubject, resourceEntity } from "./question.ts";
import { Slices } from "./slice.ts";
import { tool_names } from "./tool-names.ts";
import { makeSchema } from "./vocabulary.ts";

/** `name.cedar` → its text. */
export type PolicyFiles = Readonly<Record<string, string>>;

/** Where the folders are that policies name; elsewhere only in tests. */
export interface PolicyPlaces {
  readonly run: string;
  readonly data: string;
}

export interface LoadedPolicy {
  readonly name: string;
  readonly file: string;
  readonly effect: "permit" | "forbid";
  readonly reason: string;
  readonly text: string;
  readonly json: PolicyJson;
}

interface WithExamples extends LoadedPolicy {
  readonly matches: readonly Example[];
  readonly spares: readonly Example[];
}

export interface LoadedPolicies {
  readonly policies: readonly LoadedPolicy[];
  /** What is wrong; then nothing may be decided by these policies. */
  readonly faults: readonly string[];
}

export const usual_places: PolicyPlaces = { run: run_dir, data: data_dir };
const policies_max = 500;

/** @param cedar asked for only when the policies are not those that the build of the image has checked */
export async function loadPolicies(
  cedar: () => CedarModule,
  files: PolicyFiles,
  places: PolicyPlaces = usual_places,
): Promise<LoadedPolicies> {
  const checked = readChecked(files, places);
  if (checked !== null) return { policies: checked, faults: [] };
  const policies: WithExamples[] = [];
  const faults: string[] = [];
  for (const [file, text] of Object.entries(files)) {
    try {
      policies.push(...readFile(cedar(), file, moved(text, places)));
      await new Promise((resolve) => setImmediate(resolve));
    } catch (error) {
      faults.push(`reading the policies of "${file}" failed: ${messageOf(error)}`);
    }
  }
  faults.push(...faultsOfNames(policies));
  if (policies.length === 0) faults.push("loading the policies failed: there are none");
  if (faults.length === 0) faults.push(...(await faultsOfExamples(cedar, policies)));
  return { policies, faults };
}

/** The same policies for other folders. */
function moved(text: string, places: PolicyPlaces): string {
  let result = text;
  for (const which of ["run", "data"] as const) {
    if (places[which] === usual_places[which]) continue;
    if (!/^(\/[A-Za-z0-9._-]+)+$/.test(places[which])) throw new Error(`"${places[which]}" cannot stand in a policy`);
    result = result.replaceAll(usual_places[which], places[which]);
  }
  return result;
}

function readFile(cedar: CedarModule, file: string, text: string): WithExamples[] {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === "failure") throw new Error(parts.errors.map((one) => one.message).join("; "));
  if (parts.policy_templates.length > 0) throw new Error("it holds a template; write policies");
  return parts.policies.map((one) => readPolicy(cedar, file, one));
}

function readPolicy(cedar: CedarModule, file: string, text: string): WithExamples {
  const answer = cedar.policyToJson(text);
  if (answer.type === "failure") throw new Error(answer.errors.map((one) => one.message).join("; "));
  const { json } = answer;
  const { id: name = "", reason = "", matches = "", spares = "", ...others } = json.annotations ?? {};
  if (!/^[a-z][a-z0-9-]{2,59}$/.test(name))
    throw new Error(`a policy has the @id ${JSON.stringify(name)}; give it one like tactical-files`);
  const unknown = Object.keys(others);
  if (unknown.length > 0) throw new Error(`"${name}" has the annotation "@${unknown[0]}", which means nothing`);
  if (reason.length < 10) throw new Error(`"${name}" has no @reason; say in a sentence why it is there`);
  const policy = { name, file, effect: json.effect, reason, text, json, matches: parseExamples(matches), spares: parseExamples(spares) };
  if (policy.matches.length === 0 || policy.spares.length === 0)
    throw new Error(`"${name}" needs at least one example that it @matches and one that it @spares`);
  return policy;
}

function faultsOfNames(policies: readonly LoadedPolicy[]): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const { name, file } of policies) {
    if (seen.has(name)) faults.push(`reading the policies of "${file}" failed: there are two with the @id "${name}"`);
    if (/^grant-/.test(name)) faults.push(`reading the policies of "${file}" failed: the @id "${name}" is that of a grant`);
    seen.add(name);
  }
  if (policies.length > policies_max) faults.push(`loading the policies failed: ${policies.length} of them, ${policies_max} at the most`);
  return faults;
}

/** Asks each policy by itself about each of its examples; others get their turn in between. */
async function faultsOfExamples(cedar: () => CedarModule, policies: readonly WithExamples[]): Promise<string[]> {
  const sets = new ParsedSets(cedar);
  const faults: string[] = [];
  for (const policy of policies) {
    for (const one of policy.matches) faults.push(...faultOfExample(sets, policy, one, true));
    for (const one of policy.spares) faults.push(...faultOfExample(sets, policy, one, false));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return faults;
}

function faultOfExample(sets: ParsedSets, policy: LoadedPolicy, example: Example, wanted: boolean): string[] {
  const say = (what: string): string => `checking the policy "${policy.name}" failed: it ${what} ${JSON.stringify(example.text)}`;
  try {
    return hits(sets, policy, example) === wanted ? [] : [say(wanted ? "does not match" : "does not spare")];
  } catch (error) {
    return [`${say("cannot be asked about")}: ${messageOf(error)}`];
  }
}

/** Whether the policy has something to say about the example. */
function hits(sets: ParsedSets, policy: LoadedPolicy, example: Example): boolean {
  const { question } = example;
  const [resource] = question.resources;
  if (resource === undefined) throw new Error("it names no resource");
  const subject = { principal: question.principal as Principal, role: question.role };
  const named = namedSubject(subject);
  const action = example.approving ? approving : namedAction(question);
  const asked = { subject, named, action, resource, entity: resourceEntity(resource) };
  const context = contextOf(question, resource, question.context.approved);
  const answer = sets.ask(policy.name, () => ({ [policy.name]: policy.json }), cedarQuestion(asked, context, null));
  if (answer.errors.length > 0) throw new Error(answer.errors.join("; "));
  const hit = answer.decided_by.includes(policy.name);
  if (hit && new Slices([policy.json]).of(named, action, asked.entity, context).places.length === 0)
    throw new Error("it matches although its scope seemed not to fit");
  return hit;
}

/**
 * Holds the policies against the schema, which finds names that do not exist. It takes Cedar a third of a second, so it is
 * done when the system is built and not each time it starts: the policies are in the executable and cannot change between.
 */
export function faultsOfTypes(cedar: CedarModule, policies: readonly LoadedPolicy[]): string[] {
  const schema = makeSchema([...tool_names.keys()]);
  const answer = cedar.validate({
    schema,
    policies: { staticPolicies: Object.fromEntries(policies.map(({ name, json }) => [name, json])) },
  });
  if (answer.type === "failure") return answer.errors.map((one) => one.message);
  return [...answer.validationErrors, ...answer.validationWarnings].map((one) => `"${one.policyId}": ${one.error.message}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
