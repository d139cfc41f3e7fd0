/** Writes what was learned into the knowledge base, through the broker like any other change. */

import type { BrokerPeer } from "../shared/ask-tool.ts";
import { documentId, type Lesson, writeDocument } from "./document.ts";
import type { Source } from "./library.ts";

const answer_limit_ms = 60_000;

export interface Writing {
  readonly lesson: Lesson;
  /** The document that is changed; null: there is none yet. */
  readonly before: Source | null;
  readonly reason: string;
  /** The decision that was learned from, or null. */
  readonly decision: string | null;
}

/** @throws when it was not written */
export async function writeLesson(broker: BrokerPeer, { lesson, before, reason, decision }: Writing): Promise<void> {
  const id = before?.id ?? documentId(lesson);
  const text = writeDocument(lesson, before?.text ?? null);
  const add = before === null;
  const tainted = lesson.learning.tainted_subject ? [add ? "/text" : "/change/text"] : [];
  const result = await broker.call(
    "tools/call",
    {
      name: add ? "knowledge.add" : "knowledge.edit",
      arguments: before === null ? { id, text, reason } : { id, change: { text }, expected: before.version, reason },
      _meta: { reason: { text: reason, decision }, tainted },
    },
    answer_limit_ms,
  );
  const { status, text: said } = result._meta;
  if (status !== "done") throw new Error(`writing "${id}" failed: ${status}: ${said}`);
}
