/** One call on its way: what is known of it so far. */

import type { Resource, Risk } from "../../contracts/tool.ts";
import type { Approver, Verdict } from "../policy/authorise.ts";
import type { AnyTool, Target } from "../tool.ts";
import type { Request } from "./request.ts";

export interface Attempt {
  readonly call: string;
  readonly request: Request;
  readonly tool: AnyTool;
  /** Monotonic, milliseconds. */
  readonly begin_ms: number;
  /** Cancels it. */
  readonly abort: AbortController;
  /** Fits the tool's input schema. */
  readonly input: unknown;
  /** The arguments as they may be written down. */
  readonly written_arguments: Record<string, unknown>;
  /** Pointers to the arguments that derive from text of outside. */
  readonly tainted: readonly string[];
  /** The person who has approved this very call. */
  readonly approved_by: Approver | null;
  /** Of this very call, once it is resolved; at worst until then. */
  risk: Risk;
}

/** Resolved and allowed; nobody else changes its resources. */
export interface Admitted {
  readonly target: Target;
  readonly resources: readonly Resource[];
  readonly risk: Risk;
  readonly verdict: Verdict;
  release(): void;
}
