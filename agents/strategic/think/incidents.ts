/** Incidents that were passed up, as a source of options: the root cause by looking, and what would remove it. */

import type { Decision } from "../../../contracts/decision.ts";
import { JsonSchema } from "../../../contracts/model/chat.ts";
import { IncidentAnswer, incident_answer_schema } from "../../../contracts/strategic.ts";
import { issuesText } from "../../../wire/issues.ts";
import type { MemoryPeer } from "../../loop/incidents.ts";
import type { Matter, Offer, Option, OptionSource } from "../../loop/options.ts";
import { identityOf, wasTried } from "../../loop/tried.ts";
import type { ChatModel } from "../../model/port.ts";
import { quoted } from "../../prompts/prompts.ts";
import type { BrokerPeer } from "../../shared/ask-tool.ts";
import type { Standing } from "../../shared/standing.ts";
import { no_key } from "../models.ts";
import { type Bounds, type Found, investigate, type Question } from "./investigate.ts";
import type { ToolBox } from "./looks.ts";
import root_cause from "./prompts/root-cause.md" with { type: "text" };
import { callsOf, problemWith } from "./proposals.ts";

/** How often one incident is thought about: once, and once more when nothing of that helped. */
const thoughts_max = 2;
const remembered_max = 64;
const text_chars_max = 1000;
/** Alarms besides that are told, the newest. */
const others_max = 12;
const other_chars_max = 300;
const rule_begin = "strategic ";
const rule_chars_max = 100;
/** Nobody knows for sure. */
const confidence_max = 0.95;

export interface Thinker {
  readonly models: ChatModel;
  /** How the model is called that would be asked. */
  readonly name: () => string;
  /** Why none can be asked now, or null. */
  readonly hindrance: () => string | null;
  readonly broker: () => BrokerPeer;
  readonly memory: () => MemoryPeer;
  readonly tools: ToolBox;
  /** Alarms that stand; those besides the one in question are evidence. */
  readonly standing: Standing;
  readonly thresholds: Bounds;
}

interface Thought {
  readonly times: number;
  readonly options: readonly Option[];
  readonly taint: readonly string[];
  readonly said: string;
}

export function thinkingSource(thinker: Thinker): OptionSource {
  const thoughts = new Map<string, Thought>();
  const keep = (id: string, thought: Thought): void => {
    thoughts.delete(id);
    thoughts.set(id, thought);
    const [oldest] = thoughts.keys();
    if (thoughts.size > remembered_max && oldest !== undefined) thoughts.delete(oldest);
  };
  return {
    get who() {
      return thinker.name();
    },
    async offer(matter) {
      const { id } = matter.incident;
      const before = thoughts.get(id);
      const left = before?.options.filter((option) => !wasTried(option, matter.tried)) ?? [];
      if (before !== undefined && left.length > 0)
        return { options: left, said: `thought of before: ${before.said}`, tokens: 0, usd: 0, taint: before.taint };
      const times = before?.times ?? 0;
      if (times >= thoughts_max) return nothing(`nothing else comes to mind; ${before?.said ?? ""}`);
      const { offer, thought } = await think(matter, times, thinker);
      if (thought !== null) keep(id, thought);
      return offer;
    },
  };
}

const nothing = (said: string, tokens = 0, usd = 0, unasked: string | null = null): Offer => ({
  ...{ options: [], said, tokens, usd },
  ...(unasked === null ? {} : { unasked }),
});

async function think(matter: Matter, times: number, thinker: Thinker): Promise<{ offer: Offer; thought: Thought | null }> {
  const { models, broker, memory, tools, hindrance, standing, thresholds } = thinker;
  const why_not = hindrance();
  if (why_not !== null) return { offer: nothing(why_not, 0, 0, why_not === no_key ? null : why_not), thought: null };
  const { decisions } = matter.incident.body;
  const tried = decisions.length === 0 ? [] : await memory().call("decisions.get", { ids: decisions });
  const found = await investigate(incidentQuestion(matter, tried, standing.all()), {
    models,
    broker,
    thresholds,
    tools: await tools.all(),
  });
  const { tokens, usd } = found;
  if (found.answer === null) return { offer: nothing(found.said, tokens, usd, found.unasked), thought: null };
  const answer = IncidentAnswer.parse(found.answer);
  const options = optionsOf(answer, matter, found);
  const taint = [...found.looks.heard].slice(0, 16);
  const why = options.length === 0 && answer.why_none !== "" ? `; no option: ${answer.why_none}` : "";
  const said = `${answer.root_cause}${why}`;
  return { offer: { options, said, tokens, usd, taint }, thought: { times: times + 1, options, taint, said } };
}

/** What of a matter the question is made of. */
export interface Asked {
  readonly incident: { readonly id: string; readonly body: Pick<Matter["incident"]["body"], "key" | "summary" | "severity" | "triage"> };
  readonly event: Matter["event"];
}

/** @param standing all alarms that stand, notices too: what came at the same time tells causes apart */
export function incidentQuestion(
  { incident, event }: Asked,
  tried: readonly Decision[],
  standing: readonly Matter["event"][] = [],
): Question {
  const { id, body } = incident;
  const { alarm, subject, detail, value, limit } = event.facts;
  const untrusted = event.untrusted ?? {};
  const text = (value: unknown): string => quoted(typeof value === "string" ? value : JSON.stringify(value), text_chars_max);
  // what came of a call may quote what a service wrote: the model may look itself, and is then marked as having heard it
  const tries = tried.map(({ rule, action, outcome }) => `- ${text(rule)}: ${outcome.result}${withArguments(rule, action)}`);
  // of these no text from outside: what the model has heard of that marks all that it proposes
  const others = standing
    .filter((one) => one.id !== event.id)
    .sort((a, b) => b.boot_ms - a.boot_ms)
    .slice(0, others_max)
    .map(({ severity, facts }) => `- ${quoted(`${severity}, ${facts.alarm} of ${facts.subject}: ${facts.detail}`, other_chars_max)}`);
  const brief = [
    "Data of the machine about one incident:",
    `alarm: ${text(alarm)}`,
    `subject: ${text(subject)}`,
    `detail: ${text(detail)}`,
    `value: ${value ?? "unknown"}, limit: ${limit}`,
    `severity: ${body.severity}`,
    `summary: ${text(body.summary)}`,
    `from outside: ${text(untrusted)}`,
    `triage: ${text(body.triage?.said ?? "none")}`,
    ...(others.length === 0 ? ["besides: nothing stands"] : ["besides these stand:", ...others]),
    ...(tries.length === 0 ? ["tried: nothing"] : ["tried, without help:", ...tries]),
  ].join("\n");
  const outside = [
    ...(Object.keys(untrusted).length === 0 ? [] : [[`event:${event.kind}`, untrusted] as const]),
    ...tried.filter(isOfOutside).map(({ id: decision, action }) => [`decision:${decision}`, action] as const),
  ];
  return {
    ...{ system: root_cause, brief, id, outside, matter: `${alarm} ${detail} ${body.triage?.kind ?? ""}` },
    behalf: {
      why: `looking for the root cause of ${body.key} (incident ${id})`,
      event: event.id,
      trusted: `${alarm} ${subject} ${detail}`,
    },
    finish: {
      name: "incident.answer",
      description: "The root cause, and what is to be done about it. Ends the work.",
      schema: JsonSchema.parse(incident_answer_schema),
    },
    refuse(given, tools) {
      const read = IncidentAnswer.safeParse(given);
      if (!read.success) return issuesText(read.error);
      return problemWith(
        read.data.options.flatMap(({ calls }) => calls),
        tools,
      );
    },
  };
}

/** Of what this tier has written itself: the same tools with other arguments may help. */
function withArguments(rule: string, action: Decision["action"]): string {
  if (!rule.startsWith(rule_begin) || action.do !== "call") return "";
  return `, with ${quoted(JSON.stringify(action.calls.map((call) => call.arguments)), text_chars_max)}`;
}

function isOfOutside({ rule, action }: Decision): boolean {
  return rule.startsWith(rule_begin) && action.do === "call" && action.calls.some(({ tainted = [] }) => tainted.length > 0);
}

function optionsOf({ options }: IncidentAnswer, { event }: Matter, { tools, looks }: Found): Option[] {
  const made: Option[] = [];
  for (const [at, { does, calls, watch_ms, confidence }] of options.entries()) {
    const kind = calls.map(({ tool }) => tool).join("+");
    const rule = `${rule_begin}${event.facts.alarm} ${kind}`.slice(0, rule_chars_max);
    const option: Option = {
      ...{ rule, does: does.replace(/\s+/g, " "), rank: at, watch_ms, confidence: Math.min(confidence, confidence_max) },
      ...{ calls: callsOf(calls, tools, looks), by_calls: true },
    };
    if (!made.some((one) => identityOf(one) === identityOf(option))) made.push(option);
  }
  return made;
}
