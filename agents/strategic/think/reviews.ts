/**
 * A second opinion on calls that wait for a person. It is kept with the approval and in the audit, shown to whoever decides, and decides
 * nothing: the broker takes no verdict as a yes or a no. Where no model can be asked, the approval says that, and why; when one can be
 * later, and the call still waits, it is asked.
 */

import { JsonSchema } from "../../../contracts/model/chat.ts";
import { type Approval, isUnasked, type Opinion } from "../../../contracts/permission.ts";
import { ReviewAnswer, review_answer_schema } from "../../../contracts/strategic.ts";
import { issuesText } from "../../../wire/issues.ts";
import type { Round } from "../../loop/run.ts";
import { quoted } from "../../prompts/prompts.ts";
import type { Thinker } from "./incidents.ts";
import { investigate, type Question } from "./investigate.ts";
import review_call from "./prompts/review-call.md" with { type: "text" };

const reason_chars_max = 1000;
const text_chars_max = 1000;
const lines_max = 20;
const remembered_max = 64;
/** After nobody could be asked about a call. */
const again_after_ms = 600_000;

/** One call after the other: thinking costs. */
export function reviewRound(thinker: Thinker, warn: (sentence: string) => void, now_ms = (): number => performance.now()): Round {
  /** What was thought and could not be handed over yet: it is not paid for twice. */
  const thought = new Map<string, Opinion>();
  /** Calls about which nobody could be asked, and when that was. */
  const in_vain = new Map<string, number>();
  let busy = 0;
  const review = async (approval: Approval): Promise<void> => {
    busy = 1;
    const { call } = approval;
    try {
      const opinion = thought.get(call) ?? (await opinionOf(approval, thinker));
      if (isUnasked(opinion)) remember(in_vain, call, now_ms());
      if (isUnasked(opinion) && approval.review !== null) return;
      remember(thought, call, opinion);
      await thinker.broker().call("reviews/give", { call, opinion });
      thought.delete(call);
    } catch (error) {
      warn(`reviewing the call "${call}" was interrupted: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      busy = 0;
    }
  };
  return {
    get busy() {
      return busy;
    },
    async run() {
      if (busy > 0) return;
      const { approvals } = await thinker.broker().call("reviews/pending", {});
      const rests = (call: string): boolean => now_ms() - (in_vain.get(call) ?? Number.NEGATIVE_INFINITY) < again_after_ms;
      const first = approvals.find(({ call, review }) => review === null || (thinker.hindrance() === null && !rests(call)));
      if (first !== undefined) void review(first);
    },
  };
}

function remember<T>(map: Map<string, T>, call: string, what: T): void {
  map.set(call, what);
  const [oldest] = map.keys();
  if (map.size > remembered_max && oldest !== undefined) map.delete(oldest);
}

async function opinionOf(approval: Approval, { hindrance, models, broker, tools, thresholds }: Thinker): Promise<Opinion> {
  const none = (why: string): Opinion => ({
    ...{ verdict: "none", reason: why.slice(0, reason_chars_max), model: null },
    ...{ tokens: 0, usd: 0, heard_outside: false },
  });
  const why_not = hindrance();
  if (why_not !== null) return none(why_not);
  const found = await investigate(reviewQuestion(approval), { models, broker, thresholds, tools: await tools.all() });
  const { model, tokens, usd } = found;
  const cost = { model: model?.slice(0, 200) ?? null, tokens, usd, heard_outside: found.looks.heard.size > 0 };
  if (found.answer === null) return { ...none(found.said), ...cost };
  const { verdict, reason } = ReviewAnswer.parse(found.answer);
  return { verdict, reason: reason.replace(/\s+/g, " ").slice(0, reason_chars_max), ...cost };
}

type Asked = Omit<Approval, "asked_ms" | "deadline_ms" | "state" | "review" | `decided_${string}`>;

export function reviewQuestion({
  call,
  principal,
  tool,
  risk,
  arguments: args,
  reason,
  resources,
  tainted,
  preview,
  final,
}: Asked): Question {
  const text = (value: unknown): string => quoted(typeof value === "string" ? value : JSON.stringify(value), text_chars_max);
  const brief = [
    "Data of the machine about one call that waits for a person:",
    `tool: ${text(tool)}, the worst that it can do: ${risk}`,
    `wanted by: ${text(principal)}`,
    `because: ${text(reason.text)}`,
    `arguments: ${text(args)}`,
    `derived from text of outside: ${tainted.length === 0 ? "nothing" : text(tainted.map((at) => (at === "" ? "everything" : at)).join(", "))}`,
    ...resources.slice(0, lines_max).map(({ access, kind, id }) => `touches: ${access} ${kind} ${text(id)}`),
    ...preview.slice(0, lines_max).map((line) => `will change: ${text(line)}`),
    ...final.slice(0, lines_max).map((line) => `for good: ${text(line)}`),
    ...(reason.alternatives.length === 0 ? [] : [`instead: ${text(reason.alternatives.join(", "))}`]),
  ].join("\n");
  return {
    ...{ system: review_call, brief, id: call, matter: `${tool} ${reason.text}` },
    outside: tainted.length === 0 ? [] : [[`call:${tool}`, [args, reason.text]] as const],
    behalf: {
      why: `a second opinion on the call ${call}`,
      event: reason.event,
      trusted: tainted.length === 0 ? `${tool} ${reason.text}` : tool,
    },
    finish: {
      name: "review.answer",
      description: "What you think of the call, for the person who decides. Ends the work.",
      schema: JsonSchema.parse(review_answer_schema),
    },
    refuse(given) {
      const read = ReviewAnswer.safeParse(given);
      return read.success ? null : issuesText(read.error);
    },
  };
}
