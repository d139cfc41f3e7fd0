/** Playbooks that fit an alarm, with their calls filled in. */

import { Playbook } from "../../contracts/playbook.ts";
import { issuesText } from "../../wire/issues.ts";
import { type Loaded, loadEach } from "../shared/load-data.ts";

export interface FilledCall {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, JsonValue>>;
  readonly why: string;
  readonly may_fail: boolean;
}

/** A playbook for one subject. */
export interface Fitting {
  readonly playbook: Playbook;
  readonly calls: readonly FilledCall[];
}

type JsonValue = Playbook["steps"][number]["arguments"][string];

const placeholder = /\{([a-z_]+)(\|number)?\}/g;

export function loadPlaybooks(sources: Readonly<Record<string, unknown>>): Loaded<Playbook> {
  return loadEach("playbook", sources, (source) => {
    const parsed = Playbook.safeParse(source);
    if (!parsed.success) throw new Error(issuesText(parsed.error));
    const known = new Set(["subject", ...[...(parsed.data.subject ?? "").matchAll(/\(\?<([a-z_]+)>/g)].map((match) => match[1])]);
    for (const { arguments: args } of parsed.data.steps)
      for (const [, name = ""] of JSON.stringify(args).matchAll(placeholder))
        if (!known.has(name)) throw new Error(`there is no parameter "${name}"; there are ${[...known].join(", ")}`);
    return parsed.data;
  });
}

/** In the order in which they were loaded. */
export function fitting(playbooks: readonly Playbook[], alarm: string, subject: string): Fitting[] {
  return playbooks.flatMap((playbook) => {
    if (!playbook.alarms.includes(alarm)) return [];
    const match = new RegExp(playbook.subject ?? "").exec(subject);
    if (match === null) return [];
    const parameters = new Map(Object.entries({ ...match.groups, subject }));
    const calls = playbook.steps.map((step) => ({
      ...step,
      arguments: Object.fromEntries(Object.entries(step.arguments).map(([name, value]) => [name, filled(value, parameters)])),
    }));
    return [{ playbook, calls }];
  });
}

/** Parameters go into values only: what a subject is called can never become another argument. */
function filled(value: JsonValue, parameters: ReadonlyMap<string, string>): JsonValue {
  if (typeof value === "string") return filledText(value, parameters);
  if (Array.isArray(value)) return value.map((one) => filled(one, parameters));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, parameters)]));
}

function filledText(text: string, parameters: ReadonlyMap<string, string>): string | number {
  const number = /^\{([a-z_]+)\|number\}$/.exec(text);
  if (number !== null) return Number(parameters.get(number[1] ?? ""));
  return text.replace(placeholder, (_, name: string) => parameters.get(name) ?? "");
}
