/** Playbooks that fit an alarm, with their calls filled in. */

import type { JsonObject } from "../../contracts/memory/working/fields.ts";
import { Playbook } from "../../contracts/playbook.ts";
import { issuesText } from "../../wire/issues.ts";
import { demandKnownPlaces, filledArguments } from "../shared/fill.ts";
import { type Loaded, loadEach } from "../shared/load-data.ts";

export interface FilledCall {
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly why: string;
  readonly may_fail: boolean;
}

/** A playbook for one subject. */
export interface Fitting {
  readonly playbook: Playbook;
  readonly calls: readonly FilledCall[];
}

export function loadPlaybooks(sources: Readonly<Record<string, unknown>>): Loaded<Playbook> {
  return loadEach("playbook", sources, (source) => {
    const parsed = Playbook.safeParse(source);
    if (!parsed.success) throw new Error(issuesText(parsed.error));
    const args = parsed.data.steps.map((step) => step.arguments);
    demandKnownPlaces(args, parsed.data.subject ?? "", ["subject"]);
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
      arguments: filledArguments(step.arguments, parameters),
    }));
    return [{ playbook, calls }];
  });
}
