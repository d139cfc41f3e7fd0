/**
 * A decision that solved an incident, made into a playbook: its calls with the parameters of the day replaced by what the subject
 * is called. Nothing that a model wrote in words goes into it, and it fits no more than what was seen.
 */

import { createHash } from "node:crypto";
import type { Decision } from "../../contracts/decision.ts";
import { Playbook } from "../../contracts/playbook.ts";
import type { Risk } from "../../contracts/tool.ts";
import { issuesText } from "../../wire/issues.ts";
import type { Lesson } from "./document.ts";

type Call = Extract<Decision["action"], { do: "call" }>["calls"][number];
type Value = Call["arguments"][string];

/** What is known of a tool. */
export interface KnownTool {
  readonly risk: Risk;
  /** Words that its schema lists: nobody from outside can have made them up. */
  readonly words: ReadonlySet<string>;
}

export interface Solution {
  readonly decision: Decision;
  /** It may rest on text from outside: its trigger, what was read of it, or what was remembered. */
  readonly tainted: boolean;
  readonly tools: ReadonlyMap<string, KnownTool>;
}

/** A subject by its form: each part that may stand in an argument has a name. */
interface Form {
  /** The whole, to find the parts by. */
  readonly subject: string;
  readonly parts: ReadonlyMap<string, string>;
}

const service_name = /^[a-z][a-z0-9-]{0,62}$/;
const process_name = /^pid:(?<pid>[0-9]+)@[0-9]+$/;
/** A port and the service that it was declared for: by our own records. */
const port_of_service = /^(?:tcp|udp):[0-9]+ of (?<service>[a-z][a-z0-9-]{0,62})$/;
const placeholder = /\{[a-z_]+(\|number)?\}/;
const parameter = /^\{[a-z_]+(\|number)?\}$/;
const usual_watch_ms = 60_000;

/** @returns the playbook, or in a clause why there is none */
export function distil({ decision, tainted, tools }: Solution): Lesson | { readonly not: string } {
  const { action, trigger, outcome, rule, tier } = decision;
  if (action.do !== "call" || trigger.kind !== "alarm.changed") return { not: "it is not about an alarm, or made no call" };
  if (outcome.result !== "done") return { not: "it did not help" };
  if (rule.startsWith("playbook ")) return { not: "it is of a playbook already" };
  const { alarm, subject } = trigger.facts;
  for (const { tool } of action.calls) {
    const known = tools.get(tool);
    if (known === undefined) return { not: `nothing is known of the tool ${tool}` };
    if (known.risk === "irreversible") return { not: `${tool} cannot be taken back` };
  }
  if (action.calls.some((call) => hasPlaceholder(call.arguments))) return { not: "an argument looks like a parameter" };
  const filled = action.calls.map((call) => parametrised(call, partsOf(subject)));
  const ours = filled.every(({ tool, arguments: args }) => areOurs(args, tools.get(tool)?.words ?? new Set()));
  if (tainted && !ours) return { not: "an argument may derive from text of outside" };
  const of_service = alarm.startsWith("service-") && JSON.stringify(filled).includes('"{subject}"');
  const form = formOf(subject, of_service, JSON.stringify(filled));
  const steps = filled.map((call) => ({ ...call, why: `it was done when ${alarm} was solved (${decision.id})` }));
  const hash = createHash("sha256")
    .update(JSON.stringify([alarm, form, filled]))
    .digest("hex");
  const parsed = Playbook.safeParse({
    name: `learned-${alarm}-${hash.slice(0, 8)}`,
    alarms: [alarm],
    subject: form,
    does: `what the ${tier} tier did about ${alarm}: ${filled.map(({ tool }) => tool).join(", ")}`.slice(0, 300),
    rank: 5,
    steps,
    watch_ms: Math.max(1000, action.watch_ms ?? usual_watch_ms),
  });
  if (!parsed.success) return { not: `it is no playbook: ${issuesText(parsed.error)}` };
  const { name } = parsed.data;
  return {
    playbook: parsed.data,
    learning: {
      ...{ playbook: name, stage: "playbook", learned_from: decision.id, learned_by: tier, history: [] },
      carried: { tries: 1, worked: 1 },
      tainted_subject: trigger.untrusted !== undefined,
      ours,
      against: 0,
    },
  };
}

function partsOf(subject: string): Form {
  const { groups = {} } = process_name.exec(subject) ?? port_of_service.exec(subject) ?? {};
  return { subject, parts: new Map(Object.entries(groups)) };
}

/** As narrow as what was seen, unless the form of the subject says what else is of its kind. */
function formOf(subject: string, takes_service: boolean, calls: string): string {
  if (calls.includes('"{pid|number}"')) return "^pid:(?<pid>[0-9]+)@[0-9]+$";
  if (calls.includes('"{service}"')) return port_of_service.source;
  if (takes_service && service_name.test(subject)) return "^[a-z0-9-]+$";
  return `^${subject.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`;
}

function parametrised({ tool, arguments: args, may_fail = false }: Call, form: Form) {
  const replaced = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, replacedIn(value, form)]));
  return { tool, arguments: replaced, may_fail };
}

/** Whole values only: a subject within a longer text stays what it was, and the playbook then fits that subject alone. */
function replacedIn(value: Value, form: Form): Value {
  if (value === form.subject) return "{subject}";
  for (const [name, part] of form.parts) {
    if (typeof value === "number" && String(value) === part) return `{${name}|number}`;
    if (value === part) return `{${name}}`;
  }
  if (Array.isArray(value)) return value.map((one) => replacedIn(one, form));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, replacedIn(one, form)]));
}

function hasPlaceholder(value: Value): boolean {
  return placeholder.test(JSON.stringify(value));
}

function areOurs(args: Call["arguments"], words: ReadonlySet<string>): boolean {
  return Object.values(args).every((value) => isOurs(value, words));
}

/** Nothing in it but what the subject is called, words of the tool's own schema, and yes or no. */
function isOurs(value: Value, words: ReadonlySet<string>): boolean {
  if (typeof value === "string") return parameter.test(value) || words.has(value);
  if (Array.isArray(value)) return value.every((one) => isOurs(one, words));
  return typeof value === "boolean" || value === null;
}

/** The words that a JSON Schema lists as `enum` and `const`, however deep. */
export function wordsOf(schema: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(schema)) for (const one of schema) wordsOf(one, found);
  if (typeof schema !== "object" || schema === null) return found;
  for (const [name, value] of Object.entries(schema)) {
    if ((name === "enum" || name === "const") && typeof value === "string") found.add(value);
    if (name === "enum" && Array.isArray(value)) for (const one of value) if (typeof one === "string") found.add(one);
    wordsOf(value, found);
  }
  return found;
}
