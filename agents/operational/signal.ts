/** Who can say how likely each of some playbooks is to help. */

import type { AlarmEvent } from "../shared/standing.ts";

export interface Candidate {
  /** Of decisions: `playbook disk-full`. */
  readonly rule: string;
  readonly name: string;
  readonly does: string;
}

export interface Weighed {
  /** By rule; a rule that is missing was not weighed. */
  readonly chances: ReadonlyMap<string, number>;
  /** In a clause: what it rests on, or why it says nothing. */
  readonly said: string;
  readonly tokens: number;
}

export interface SignalSource {
  /** What the chance is kept by in decisions, and weighed by (`calibration.weights`). */
  readonly who: string;
  /** Never throws for want of an answer, and never takes longer than its deadline. */
  weigh(event: AlarmEvent, candidates: readonly Candidate[]): Promise<Weighed>;
}
