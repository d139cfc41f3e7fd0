/**
 * Examples of a policy, as its annotations `@matches` and `@spares` hold them, separated by line breaks or `;`:
 *
 *   <who> <tool> <kind>:<id> [<word> …]
 *   tier:tactical fs.chmod path:/srv/www/a allow_setuid=true tainted
 *   person:anna/operator approve/pkg.install package:nginx
 *
 * Words: an access or a risk by its name, `tainted`, `approved`, `by=` the owner of an agent, `calls=` in the last hour,
 * `cost=` US dollars today, `now=` milliseconds, and attributes of the resource as `name=value`.
 */

import type { Principal, Resource, Risk, Role } from "../../contracts/tool.ts";
import type { Question } from "./authorise.ts";
import { tool_names } from "./tool-names.ts";
import { type Kind, kinds, risks, roles } from "./vocabulary.ts";

export interface Example {
  readonly text: string;
  readonly question: Question;
  /** Asked as one who decides about an approval. */
  readonly approving: boolean;
}

const accesses: readonly Resource["access"][] = ["read", "write", "delete", "execute"];

/** @throws when one cannot be read */
export function parseExamples(text: string): Example[] {
  const lines = text.split(/[;\n]/).map((line) => line.trim());
  return lines.filter((line) => line !== "").map(parseExample);
}

function parseExample(text: string): Example {
  const [who = "", what = "", which = "", ...words] = text.split(/\s+/);
  const approving = what.startsWith("approve/");
  const tool = approving ? what.slice("approve/".length) : what;
  const named_risk = tool_names.get(tool);
  if (named_risk === undefined)
    throw new Error(`reading the example ${JSON.stringify(text)} failed: "${tool}" is no tool of tool-names.ts`);
  const kind = which.slice(0, which.indexOf(":")) as Kind;
  const id = which.slice(which.indexOf(":") + 1);
  if (!Object.hasOwn(kinds, kind) || id === "")
    throw new Error(`reading the example ${JSON.stringify(text)} failed: "${which}" is no kind:id`);
  const [principal = "", role = null] = who.split("/");
  const found = new Words(text, kind, words, named_risk);
  const access = found.access ?? (found.risk === "observe" ? "read" : "write");
  return {
    text,
    approving,
    question: {
      principal: principal as Principal,
      role: roles.find((one) => one === role) ?? (role as Role | null),
      owner: found.owner,
      tool,
      risk: found.risk,
      resources: [{ kind, id, access, attributes: found.attributes }],
      context: {
        tainted: found.flags.has("tainted"),
        approved: found.flags.has("approved") || approving,
        calls_last_hour: found.numbers.get("calls") ?? 0,
        cost_today_usd: found.numbers.get("cost") ?? 0,
        now_ms: found.numbers.get("now") ?? 0,
      },
    },
  };
}

class Words {
  risk: Risk;
  access: Resource["access"] | null = null;
  owner: Principal | null = null;
  readonly flags = new Set<string>();
  readonly numbers = new Map<string, number>();
  readonly attributes: Record<string, string | number | boolean> = {};

  constructor(text: string, kind: Kind, words: readonly string[], risk: Risk) {
    this.risk = risk;
    for (const word of words)
      if (!this.#take(kind, word))
        throw new Error(`reading the example ${JSON.stringify(text)} failed: "${word}" means nothing for a ${kind}`);
  }

  #take(kind: Kind, word: string): boolean {
    const access = accesses.find((one) => one === word);
    const risk = risks.find((one) => one === word);
    if (access !== undefined) this.access = access;
    else if (risk !== undefined) this.risk = risk;
    else if (word === "tainted" || word === "approved") this.flags.add(word);
    else return this.#takePair(kind, word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1));
    return true;
  }

  #takePair(kind: Kind, name: string, value: string): boolean {
    const type = Object.hasOwn(kinds[kind].attributes, name) ? kinds[kind].attributes[name] : undefined;
    if (type !== undefined) this.attributes[name] = type === "Long" ? Number(value) : type === "Boolean" ? value === "true" : value;
    else if (name === "by") this.owner = value as Principal;
    else if (name === "calls" || name === "cost" || name === "now") this.numbers.set(name, Number(value));
    else return false;
    return true;
  }
}
