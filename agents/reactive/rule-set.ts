/** Loads rules: each is parsed, compiled and tried on its own examples. */

import { Event, type EventKind } from "../../contracts/event.ts";
import { type ExampleEvent, Rule } from "../../contracts/rule.ts";
import { issuesText } from "../../wire/issues.ts";
import { type Loaded, loadEach } from "../shared/load-data.ts";
import { type CompiledRule, compileRule } from "./compile.ts";
import { Engine } from "./engine.ts";

export function loadRules(sources: Readonly<Record<string, unknown>>): Loaded<CompiledRule> {
  return loadEach("rule", sources, loadRule);
}

function loadRule(source: unknown): CompiledRule {
  const parsed = Rule.safeParse(source);
  if (!parsed.success) throw new Error(issuesText(parsed.error));
  const rule = parsed.data;
  const compiled = compileRule(rule);
  const fallback = rule.on[0] ?? "boot.ready";
  rule.examples.match.forEach((example, at) => {
    if (!acts(compiled, example, fallback)) throw new Error(`its example match[${at}] does not match`);
  });
  rule.examples.no_match.forEach((example, at) => {
    if (acts(compiled, example, fallback)) throw new Error(`its example no_match[${at}] matches`);
  });
  return compiled;
}

/** Whether the rule alone, fresh, acts on the last event of the sequence. */
function acts(rule: CompiledRule, example: readonly ExampleEvent[], fallback: EventKind): boolean {
  const engine = new Engine([rule]);
  let acted = false;
  example.forEach((one, at) => {
    const matches = engine.take(exampleEvent(one, at, fallback), one.at_ms);
    acted = matches.some((match) => match.suppressed === null);
  });
  return acted;
}

function exampleEvent(example: ExampleEvent, at: number, fallback: EventKind): Event {
  const parsed = Event.safeParse({
    id: `00000000-example-${at}`,
    time_ms: example.at_ms,
    boot_ms: example.at_ms,
    source: "example",
    severity: example.severity ?? "info",
    kind: example.kind ?? fallback,
    facts: example.facts,
    ...(example.untrusted === undefined ? {} : { untrusted: example.untrusted }),
  });
  if (!parsed.success) throw new Error(`an example is no event: ${issuesText(parsed.error)}`);
  return parsed.data;
}
