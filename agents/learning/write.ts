/** Writes what was learned into the knowledge base, through the broker like any other change. */

import type { BrokerPeer } from "../shared/ask-tool.ts";
import { documentId, type Lesson, writeDocument } from "./document.ts";

const answer_limit_ms = 60_000;

export interface Writing {
  readonly lesson: Lesson;
  /** The version that is changed; null: there is none yet. */
  readonly version: number | null;
  readonly reason: string;
  /** The decision that was learned from, or null. */
  readonly decision: string | null;
}

/** @throws when it was not written */
export async function writeLesson(broker: BrokerPeer, { lesson, version, reason, decision }: Writing): Promise<void> {
  const id = documentId(lesson);
  const text = writeDocument(lesson);
  const add = version === null;
  const tainted = lesson.learning.tainted_subject ? [add ? "/text" : "/change/text"] : [];
  const result = await broker.call(
    "tools/call",
    {
      name: add ? "knowledge.add" : "knowledge.edit",
      arguments: add ? { id, text, reason } : { id, change: { text }, expected: version, reason },
      _meta: { reason: { text: reason, decision }, tainted },
    },
    answer_limit_ms,
  );
  const { status, text: said } = result._meta;
  if (status !== "done") throw new Error(`writing "${id}" failed: ${status}: ${said}`);
}
