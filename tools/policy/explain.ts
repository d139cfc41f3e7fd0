/** Why a call is denied, in words for the one who made it: which policies came near, and what to ask for. */

import type { Question } from "./authorise.ts";
import type { LoadedPolicy } from "./load.ts";
import { type Asked, quoted } from "./question.ts";
import { actionFits, principalFits } from "./slice.ts";

function what(question: Question, { subject, resource }: Asked): string {
  return `${subject.principal} do ${question.tool} (${question.risk}) on ${resource.kind} ${quoted(resource.id)}`;
}

export function forbidden(policies: readonly LoadedPolicy[], by: readonly string[], question: Question, asked: Asked): string {
  const reasons = policies.filter(({ name }) => by.includes(name)).map(({ name, reason }) => `${name}: ${reason}`);
  return `a policy forbids that ${what(question, asked)}, and neither a grant nor an approval changes that (${reasons.join("; ")})`;
}

/** The permits whose principal and action fit: their resource or their conditions are what is in the way. */
export function nearest(policies: readonly LoadedPolicy[], asked: Pick<Asked, "named" | "action">): LoadedPolicy[] {
  return policies.filter(
    ({ effect, json }) => effect === "permit" && principalFits(json.principal, asked.named) && actionFits(json.action, asked.action),
  );
}

export function notPermitted(policies: readonly LoadedPolicy[], question: Question, asked: Asked): string {
  const near = nearest(policies, asked)
    .slice(0, 3)
    .map(({ name, reason }) => `${name}: ${reason}`);
  const nearby = near.length === 0 ? "" : `; the nearest that would (${near.join("; ")})`;
  return `no policy lets ${what(question, asked)}${nearby}; ${remedy(question, asked)}`;
}

function remedy({ tool }: Question, { subject, resource }: Asked): string {
  const scope = `${tool} on ${resource.kind} ${quoted(resource.id)}`;
  if (subject.principal.startsWith("tier:")) return `ask for a grant of ${scope} with sec.request, or leave it`;
  if (subject.principal.startsWith("agent:")) return `its owner may grant it ${scope} with sec.grant`;
  return `someone with a higher role may grant ${scope} with sec.grant`;
}
