/**
 * The authority of the broker: policies of the image and grants, asked of Cedar.
 *
 * Each resource of a call is asked about by itself, for the caller and, where an agent calls, for its owner too; the
 * strictest answer counts. One question goes like this:
 *
 *   policies of the image ── forbid ──────────────────────────→ no
 *            │ └──────────── permit ──────────────────────────→ yes
 *            └─ neither → grants, one by one ── one permits
 *                             and who gave it may approve it ───→ yes
 *                          else ──────────────────────────────→ no
 *
 * "No" is asked again as if a person had approved the call, unless who forbids it does not speak of approvals: if that makes it a
 * yes, it waits for a person. Where nobody forbade or permitted it, only those are asked again that speak of approvals: the others
 * say nothing then either. This split is Cedar's own rule (any forbid wins, then any permit), for grants never forbid. An error in
 * evaluating any policy is a no, where Cedar would pass over that policy.
 */

import type { Grant, PolicyInfo } from "../../contracts/permission.ts";
import type { Principal, Role } from "../../contracts/tool.ts";
import { Asking, type Ruled } from "./asking.ts";
import type { Approver, Authority, Question, Verdict } from "./authorise.ts";
import { type CedarModule, lazyCedar } from "./cedar.ts";
import { forbidden, notPermitted } from "./explain.ts";
import { grantText, mayReach } from "./grant-policy.ts";
import { Granted, policyOfGrant } from "./granted.ts";
import { type LoadedPolicies, type LoadedPolicy, loadPolicies, type PolicyFiles, type PolicyPlaces } from "./load.ts";
import { mentionedIn } from "./mentioned.ts";
import { policy_files } from "./policies/index.ts";
import {
  type Asked,
  type AskedContext,
  approving,
  BadQuestion,
  contextOf,
  type Named,
  namedAction,
  namedSubject,
  quoted,
  resourceEntity,
  resourcesOf,
  type Subject,
} from "./question.ts";

/** A grant and the role, at that time, of the person who gave it. */
export interface HeldGrant {
  readonly grant: Grant;
  readonly granter_role: Role | null;
}

/** Where grants are; what it answers is so now, not once. */
export interface GrantSource {
  /** Those of a principal that are neither revoked nor used up, in the order in which they were given. */
  of(principal: Principal): readonly HeldGrant[];
  all(): readonly HeldGrant[];
}

export interface AgentSource {
  /** Whether the agent's lease lasts and it is this owner's. */
  isAlive(name: string, owner: Principal, now_ms: number): boolean;
}

interface AuthorityOptions {
  readonly grants?: GrantSource;
  readonly agents?: AgentSource;
  readonly places?: PolicyPlaces;
  /** Instead of the image's own. */
  readonly files?: PolicyFiles;
  /** Hears of policies that cannot be evaluated. */
  readonly report?: (text: string) => void;
  readonly cedar?: CedarModule;
}

interface Answer {
  readonly effect: Verdict["effect"];
  readonly policies: readonly string[];
  readonly uses_grants: readonly string[];
  readonly reason: string;
}

interface Ruling extends Ruled {
  readonly uses_grants: readonly string[];
}

const no_grants: GrantSource = { of: () => [], all: () => [] };
const no_agents: AgentSource = { isAlive: () => false };
const strictness: Readonly<Record<Verdict["effect"], number>> = { allow: 0, approval: 1, deny: 2 };

export interface PolicyAuthority extends Authority {
  /** Every policy in force, those made of grants last. */
  list(): PolicyInfo[];
  /** What does not work and what to do, or null: then everything is denied. */
  readonly degradation: string | null;
  /** Loads what the first question needs, so that it need not wait for it. Never throws. */
  warm(): void;
}

/**
 * Never throws: when the policies or Cedar itself cannot be loaded, everything is denied and `degradation` says why. Policies
 * that the build has not checked take most of a second of computing, in pieces, so that the process answers meanwhile.
 */
export async function createAuthority(options: AuthorityOptions = {}): Promise<PolicyAuthority> {
  try {
    const given = options.cedar;
    const cedar = given === undefined ? lazyCedar() : () => given;
    const loaded = await loadPolicies(cedar, options.files ?? policy_files, options.places);
    if (loaded.faults.length > 0) return denyAll(loaded.faults);
    return new CedarAuthority(cedar, loaded, options);
  } catch (error) {
    return denyAll([messageOf(error)]);
  }
}

class CedarAuthority implements PolicyAuthority {
  degradation: string | null = null;
  readonly #cedar: () => CedarModule;
  readonly #loaded: LoadedPolicies;
  readonly #grants: GrantSource;
  readonly #agents: AgentSource;
  readonly #report: (text: string) => void;
  readonly #all: Asking;
  /** Those that speak of a person's approval. */
  readonly #of_approval: Asking;
  readonly #granted: Granted;
  /** Names of the policies that no approval changes: they do not speak of it. */
  readonly #whatever_approved: ReadonlySet<string>;

  constructor(cedar: () => CedarModule, loaded: LoadedPolicies, options: AuthorityOptions) {
    this.#cedar = cedar;
    this.#loaded = loaded;
    this.#grants = options.grants ?? no_grants;
    this.#agents = options.agents ?? no_agents;
    this.#report = options.report ?? (() => {});
    const speaks = (policy: LoadedPolicy): boolean => mentionedIn([policy.json]).attributes.has("approved");
    this.#all = new Asking(loaded.policies, cedar);
    this.#of_approval = new Asking(loaded.policies.filter(speaks), cedar);
    this.#whatever_approved = new Set(loaded.policies.filter((policy) => !speaks(policy)).map(({ name }) => name));
    this.#granted = new Granted(cedar);
  }

  warm(): void {
    try {
      this.#cedar();
    } catch (error) {
      this.degradation = degradationOf([messageOf(error)]);
    }
  }

  decide(question: Question): Verdict {
    return this.#guarded(question, () => {
      const subjects: Subject[] = [{ principal: question.principal, role: question.role }];
      if (question.owner !== null) subjects.push({ principal: question.owner, role: null });
      this.#checkAgent(question);
      return this.#strictest(question, subjects, namedAction(question), (asked) => this.#ask(question, asked));
    });
  }

  mayApprove(question: Question, approver: Approver): Verdict {
    return this.#guarded(question, () => {
      namedAction(question);
      if (!approver.principal.startsWith("person:")) throw new BadQuestion(`"${approver.principal}" is no person, and only people approve`);
      return this.#strictest(question, [approver], approving, (asked) => {
        const ruling = this.#rule(question, asked, true, false);
        if (ruling.is === "permitted") return { effect: "allow", policies: ruling.by, uses_grants: [], reason: "" };
        const reason = `"${approver.principal}" may not approve ${question.tool} (${question.risk}) on ${asked.resource.kind} ${quoted(asked.resource.id)}`;
        return { effect: "deny", policies: ruling.by, uses_grants: [], reason };
      });
    });
  }

  list(): PolicyInfo[] {
    const image = this.#loaded.policies.map(({ name, effect, reason, text }) => ({ name, effect, reason, source: "image" as const, text }));
    const granted = this.#grants.all().map(({ grant }) => ({
      name: grant.id,
      effect: "permit" as const,
      reason: grant.reason,
      source: "grant" as const,
      text: grantText(this.#cedar(), policyOfGrant(grant)),
    }));
    return [...image, ...granted];
  }

  #guarded(question: Question, decide: () => Answer): Verdict {
    try {
      return decide();
    } catch (error) {
      const what = `asking the policies about ${quoted(question.tool)} failed: ${messageOf(error)}`;
      if (!(error instanceof BadQuestion)) this.#report(what);
      return { effect: "deny", policies: [], uses_grants: [], reason: `${what}; nothing was done` };
    }
  }

  #checkAgent({ principal, owner, context }: Question): void {
    const is_agent = principal.startsWith("agent:");
    if (is_agent !== (owner !== null))
      throw new BadQuestion(is_agent ? `"${principal}" comes without its owner` : `"${principal}" has no owner`);
    if (owner !== null && !this.#agents.isAlive(principal.slice("agent:".length), owner, context.now_ms))
      throw new BadQuestion(`"${principal}" is no agent of "${owner}", or its lease has ended; make one with sec.lease`);
  }

  #strictest(question: Question, subjects: readonly Subject[], action: Named, ask: (asked: Asked) => Answer): Answer {
    const policies = new Set<string>();
    const uses_grants = new Set<string>();
    let worst: Answer = { effect: "allow", policies: [], uses_grants: [], reason: "" };
    const resources = resourcesOf(question).map((resource) => ({ resource, entity: resourceEntity(resource) }));
    for (const subject of subjects) {
      const named = namedSubject(subject);
      for (const { resource, entity } of resources) {
        const answer = ask({ subject, named, action, resource, entity });
        if (answer.effect === "deny") return answer;
        for (const name of answer.policies) policies.add(name);
        for (const id of answer.uses_grants) uses_grants.add(id);
        if (strictness[answer.effect] > strictness[worst.effect]) worst = answer;
      }
    }
    return { effect: worst.effect, policies: [...policies], uses_grants: [...uses_grants], reason: worst.reason };
  }

  #ask(question: Question, asked: Asked): Answer {
    const as_is = this.#rule(question, asked, question.context.approved);
    if (as_is.is === "permitted")
      return { effect: "allow", policies: as_is.by, uses_grants: as_is.uses_grants, reason: `allowed by ${as_is.by.join(", ")}` };
    const approved = question.context.approved ? as_is : this.#ifApproved(question, asked, as_is);
    if (approved.is === "permitted") {
      const reason = `${question.tool} (${question.risk}) on ${asked.resource.kind} ${quoted(asked.resource.id)} needs a person's approval`;
      return { effect: "approval", policies: [...as_is.by, ...approved.by], uses_grants: approved.uses_grants, reason };
    }
    const reason =
      approved.is === "forbidden"
        ? forbidden(this.#loaded.policies, approved.by, question, asked)
        : notPermitted(this.#loaded.policies, question, asked);
    return { effect: "deny", policies: approved.by, uses_grants: [], reason };
  }

  /** What an approval makes of a no. */
  #ifApproved(question: Question, asked: Asked, as_is: Ruling): Ruling {
    if (as_is.is === "open") return { ...this.#of_approval.rule(asked, contextOf(question, asked.resource, true)), uses_grants: [] };
    const by = as_is.by.filter((name) => this.#whatever_approved.has(name));
    return by.length === 0 ? this.#rule(question, asked, true) : { ...as_is, by };
  }

  /** @param with_grants false: by the policies of the image alone */
  #rule(question: Question, asked: Asked, approved: boolean, with_grants = true): Ruling {
    const context = contextOf(question, asked.resource, approved);
    const ruled = this.#all.rule(asked, context);
    const grant = ruled.is === "open" && with_grants ? this.#grantFor(question, asked, context) : null;
    if (grant === null) return { ...ruled, uses_grants: [] };
    return { is: "permitted", by: [grant.id], uses_grants: grant.scope.calls_max === null ? [] : [grant.id] };
  }

  /** The first grant that permits it, those for any number of calls first. */
  #grantFor(question: Question, asked: Asked, context: AskedContext): Grant | null {
    if (asked.action === approving) return null;
    const above = new Set(asked.entity.parents.map(({ id }) => id));
    const held = this.#grants.of(asked.subject.principal).filter(({ grant }) => mayReach(grant, question.tool, asked.resource, above));
    held.sort((a, b) => Number(a.grant.scope.calls_max !== null) - Number(b.grant.scope.calls_max !== null));
    for (const one of held) {
      const permits = this.#granted.permits(one.grant, asked, context, question.context.now_ms);
      if (permits && this.#granterMay(question, asked, one)) return one.grant;
    }
    return null;
  }

  /** A grant is an approval ahead: it gives nothing that its giver could not approve now. */
  #granterMay(question: Question, asked: Asked, { grant, granter_role }: HeldGrant): boolean {
    const granter = grant.granted_by;
    if (granter.startsWith("tier:")) return granter === question.owner; // and the owner is asked by himself
    if (!granter.startsWith("person:") || granter_role === null) return false;
    const subject = { principal: granter, role: granter_role };
    const as_granter: Asked = { ...asked, subject, named: namedSubject(subject), action: approving };
    return this.#rule(question, as_granter, true, false).is === "permitted";
  }
}

function degradationOf(faults: readonly string[]): string {
  const [first = "the policies cannot be used"] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  return `${first}${more}; every call is refused until that is mended: boot an image whose policies pass their checks`;
}

function denyAll(faults: readonly string[]): PolicyAuthority {
  const degradation = degradationOf(faults);
  const verdict: Verdict = { effect: "deny", policies: [], uses_grants: [], reason: degradation };
  return { degradation, warm: () => {}, decide: () => verdict, mayApprove: () => verdict, list: () => [] };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
