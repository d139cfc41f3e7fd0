/** What may be done about an incident, and who is asked for it. */

import type { Decision, Signals } from "../../contracts/decision.ts";
import type { Playbook } from "../../contracts/playbook.ts";
import { fitting } from "../playbooks/playbooks.ts";
import type { AlarmEvent } from "../shared/standing.ts";
import type { Incident } from "./incidents.ts";
import { ruleOf } from "./track-record.ts";

export type ActionCall = Extract<Decision["action"], { do: "call" }>["calls"][number];

export interface Option {
  /** What its record is kept by, and the decision names: `playbook disk-full`. The same for the same kind of thing. */
  readonly rule: string;
  /** In words: what it does. */
  readonly does: string;
  /** Of those that are as likely to help the lower goes first: the gentler one. 0 to 9. */
  readonly rank: number;
  readonly calls: readonly ActionCall[];
  /** Milliseconds after the last call within which it has to help. */
  readonly watch_ms: number;
  /** The chance that it helps, 0 to 1, as far as who offers it can tell; what it came to before is weighed in, unless it is calibrated. */
  readonly confidence: number;
  /** That chance was fitted to the outcomes of this system: nothing is to be weighed in, which would count them twice. */
  readonly calibrated?: boolean;
  /** What that was made of, before it was calibrated; for the record. */
  readonly signals?: Signals;
  /** Written for this very incident: with other arguments it is another option (tried.ts). */
  readonly by_calls?: true;
  /** Meant for this very alarm by whoever wrote or learned it: its own record can rule it out, an opinion can only put it last. */
  readonly meant_for_it?: true;
}

export interface Matter {
  readonly incident: Incident;
  /** The alarm that stands. */
  readonly event: AlarmEvent;
  /** Rules that were tried on this incident, and with which calls (tried.ts). */
  readonly tried: ReadonlySet<string>;
}

export interface Offer {
  readonly options: readonly Option[];
  /** In a clause, for the record: what was found, or why nothing was. */
  readonly said: string;
  /** What asking has cost. */
  readonly tokens: number;
  readonly usd: number;
  /** Where text from outside came from that it rests on: the incident then rests on it, too. */
  readonly taint?: readonly string[];
  /** Why nobody could be asked at the moment. Left out: somebody was, whatever came of it, or there is nobody to be asked. */
  readonly unasked?: string;
}

/** Somebody who knows what may be done. Asked in turn, the cheapest first, until an option is sure enough. */
export interface OptionSource {
  readonly who: string;
  /** Never throws for want of an answer: then it offers none and says why. */
  offer(matter: Matter): Promise<Offer>;
}

/** Nobody knows anything of it: as likely as not. */
const unknown_confidence = 0.5;

/** As the operational tier has judged it. */
function judged(rule: string, { body: { triage } }: Incident, otherwise: number): Pick<Option, "confidence" | "calibrated" | "signals"> {
  const found = triage?.options.find((option) => option.rule === rule);
  if (found === undefined) return { confidence: otherwise };
  return { confidence: found.confidence, calibrated: found.calibrated, signals: found.signals };
}

/** @param confidence of a playbook by its name: what is known of one that the operational tier has not judged */
export function playbookSource(
  playbooks: () => readonly Playbook[],
  confidence: (name: string) => number = () => unknown_confidence,
): OptionSource {
  return {
    who: "playbooks",
    async offer({ event, incident }) {
      const options = fitting(playbooks(), event.facts.alarm, event.facts.subject).map(({ playbook, calls }) => ({
        rule: ruleOf(playbook.name),
        does: playbook.does,
        rank: playbook.rank,
        calls: calls.map(({ tool, arguments: args, may_fail }) => ({ tool, arguments: { ...args }, may_fail })),
        watch_ms: playbook.watch_ms,
        ...judged(ruleOf(playbook.name), incident, confidence(playbook.name)),
        meant_for_it: true as const,
      }));
      const names = options.map(({ rule }) => rule).join(", ");
      return { options, said: names === "" ? `none is known against ${event.facts.alarm}` : names, tokens: 0, usd: 0 };
    },
  };
}
