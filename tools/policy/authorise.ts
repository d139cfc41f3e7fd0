/** The question that is asked of the policies before each call, and their answer. */

import type { Principal, Resource, Risk, Role } from "../../contracts/tool.ts";

export interface Question {
  readonly principal: Principal;
  /** Of a person, as the console says. */
  readonly role: Role | null;
  /** The tier in whose name's agent it calls: both have to be allowed. */
  readonly owner: Principal | null;
  readonly tool: string;
  readonly risk: Risk;
  readonly resources: readonly Resource[];
  readonly context: {
    /** Any argument derives from text of outside. */
    readonly tainted: boolean;
    /** Calls of this principal in the last hour, and what its reasons say they cost today, US dollars. */
    readonly calls_last_hour: number;
    readonly cost_today_usd: number;
    readonly now_ms: number;
    /** A person has approved this very call. */
    readonly approved: boolean;
  };
}

export interface Verdict {
  /** `approval`: allowed as soon as a person approves it. */
  readonly effect: "allow" | "approval" | "deny";
  /** Names of the policies that decided: those that permit, or those that forbid. */
  readonly policies: readonly string[];
  /** In words: why not, and what to ask for. */
  readonly reason: string;
  /** Grants with a limited number of calls that this call uses up by one. */
  readonly uses_grants: readonly string[];
}

/** Who decides about an approval. */
export interface Approver {
  readonly principal: Principal;
  readonly role: Role | null;
}

export interface Authority {
  /** Never throws: what cannot be decided is denied, with the reason. */
  decide(question: Question): Verdict;
  /** Whether this person may approve the call of that question: never more than may be done at all. */
  mayApprove(question: Question, approver: Approver): Verdict;
}
