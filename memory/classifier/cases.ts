/** Decisions about alarms as cases to train on. */

import { hasHelped } from "../../contracts/decision.ts";
import type { ClassifierCase } from "../../contracts/memory/classifier.ts";
import type { Embedder } from "../longterm/embedder.ts";
import type { Parts } from "../parts.ts";

/** The newest: what helped years ago may not any more. */
const cases_max = 2000;
/** Texts that are embedded at a time, so that whoever asks memory comes in between. */
const batch = 16;
/** A slow machine may take as long over the pages of the knowledge base that wait before them as one wait for a text may last. */
const tries_max = 4;

/** What of an alarm has a meaning: the classifier reads its vector. */
export function textOf({ alarm, subject, detail }: { readonly alarm: string; readonly subject: string; readonly detail: string }): string {
  return `${alarm} of ${subject}: ${detail}`;
}

interface Told extends Omit<ClassifierCase, "vector"> {
  readonly text: string;
}

/** @returns oldest first */
export function decided({ outcomes, store }: Parts): Told[] {
  return outcomes.newestEnded(cases_max).flatMap((id) => {
    const decision = store.decision(id);
    if (decision === null || decision.trigger.kind !== "alarm.changed") return []; // its segment cannot be read
    const { trigger, rule, outcome, signals } = decision;
    const { alarm, subject } = trigger.facts;
    const neighbours = signals?.["neighbours"] ?? null;
    return [{ decision: id, alarm, subject, rule, worked: hasHelped(outcome) === true, neighbours, text: textOf(trigger.facts) }];
  });
}

/** Without a sentence model the vectors are empty: alarm and subject are left. @throws when another model comes in between */
export async function withVectors(told: readonly Told[], embedder: Embedder): Promise<ClassifierCase[]> {
  const { model } = embedder;
  if (model === null) return told.map(({ text: _, ...one }) => ({ ...one, vector: "" }));
  const vectors = new Map<string, string>();
  const texts = [...new Set(told.map(({ text }) => text))];
  for (let at = 0; at < texts.length; at += batch) {
    const some = texts.slice(at, at + batch);
    const made = await embedded(some, embedder);
    for (const [n, vector] of made.entries()) vectors.set(some[n] ?? "", base64Of(vector));
  }
  if (embedder.model !== model) throw new Error("reading what cases mean failed: another sentence model was loaded meanwhile; try again");
  return told.map(({ text, ...one }) => ({ ...one, vector: vectors.get(text) ?? "" }));
}

/** What was made in one try is made for the next. @throws when the last one fails, too */
async function embedded(texts: readonly string[], embedder: Embedder): Promise<Float32Array[]> {
  const { model } = embedder;
  for (let tried = 1; ; tried += 1)
    try {
      return await embedder.embed(texts, "background");
    } catch (error) {
      if (tried === tries_max || embedder.model !== model) throw error;
    }
}

function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}
