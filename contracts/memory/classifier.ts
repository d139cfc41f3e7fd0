/** The classifier of triage: trained on what came of this system's own decisions, switched on when it has proven better (memory/classifier/). */

import { z } from "zod";
import { DecisionId } from "../decision.ts";
import { method } from "../rpc.ts";
import { Sha256 } from "./upkeep.ts";

const Rule = z.string().min(1).max(200);
const Chance = z.number().min(0).max(1);
const Version = z.int().min(1);

/** How good chances were, beside what came: smaller is better of all three but `right`. */
const Score = z.lazy(() =>
  z.strictObject({
    /** Mean of the logarithmic loss, in nats. */
    log_loss: z.number(),
    /** Mean of the squared error (Brier 1950). */
    brier: z.number(),
    /** Cases in which what was likelier came. */
    right: z.int(),
  }),
);

/** What training came to. */
export const ClassifierReport = z.lazy(() =>
  z.strictObject({
    made_ms: z.number(),
    /** The sentence model whose vectors it reads; empty: none was there, and it goes by alarm and subject. */
    embedding: z.string(),
    /** Cases that it was fitted to, and the newer ones on which it was measured. */
    trained_on: z.int(),
    held_back: z.int(),
    /** The last decision that it knows. */
    newest: DecisionId.nullable(),
    rules: z.array(Rule),
    before: Score,
    after: Score,
    /** By how much the loss is smaller than before, but for a chance of 5 %: at least so much (paired bootstrap). */
    gain_low: z.number(),
    is_better: z.boolean(),
    /** In words: what decided. */
    said: z.string(),
  }),
);
export type ClassifierReport = z.infer<typeof ClassifierReport>;

/** Of one rule: `bytes` are its weights, 32-bit floats of the machine's order in base64. */
export const ClassifierBody = z.lazy(() =>
  z.strictObject({
    features: z.literal(1),
    embedding: z.string(),
    dimensions: z.int().nonnegative(),
    rules: z.array(z.strictObject({ rule: Rule, cases: z.int(), weights: z.base64().max(20_000) })).max(200),
  }),
);
export type ClassifierBody = z.infer<typeof ClassifierBody>;

export const ClassifierVersion = z.lazy(() => z.strictObject({ version: Version, sha256: Sha256, report: ClassifierReport }));
export type ClassifierVersion = z.infer<typeof ClassifierVersion>;

export const ClassifierState = z.lazy(() =>
  z.strictObject({
    /** Null: none is asked. */
    in_use: Version.nullable(),
    /** Newest first. */
    versions: z.array(ClassifierVersion),
    changes: z.array(z.strictObject({ time_ms: z.number(), version: Version.nullable(), why: z.string() })),
  }),
);
export type ClassifierState = z.infer<typeof ClassifierState>;

const Why = z.string().min(1).max(300);

export const classifier_methods = {
  /** Fits, measures, keeps it as a version when there were cases enough, and switches it on when it is better. */
  "classifier.train": method(() => ({
    params: z.strictObject({ why: Why }),
    result: z.strictObject({ version: Version.nullable(), was: Version.nullable(), in_use: Version.nullable(), report: ClassifierReport }),
  })),
  "classifier.use": method(() => ({
    params: z.strictObject({ version: Version.nullable(), why: Why }),
    result: z.strictObject({ was: Version.nullable() }),
  })),
  "classifier.state": method(() => ({ params: z.strictObject({ limit: z.int().min(1).max(50) }), result: ClassifierState })),
  /** @returns a chance for each of the rules that the version in use knows */
  "classifier.weigh": method(() => ({
    params: z.strictObject({
      alarm: z.string().max(100),
      subject: z.string().max(500),
      detail: z.string().max(2000),
      rules: z.array(Rule).max(64),
    }),
    result: z.strictObject({
      version: Version.nullable(),
      chances: z.array(z.strictObject({ rule: Rule, chance: Chance })),
      said: z.string(),
    }),
  })),
} as const;

export const classifier_permissions = {
  operational: ["classifier.weigh", "classifier.state"],
  broker: ["classifier.train", "classifier.use", "classifier.state"],
} as const;

/** A decision about an alarm as training reads it. */
export const ClassifierCase = z.lazy(() =>
  z.strictObject({
    decision: DecisionId,
    alarm: z.string(),
    subject: z.string(),
    rule: Rule,
    worked: z.boolean(),
    /** What earlier cases said then: the chance that it has to beat. Null: nobody was asked. */
    neighbours: Chance.nullable(),
    /** Of its text, base64 of 32-bit floats; equal texts have equal vectors. */
    vector: z.base64(),
  }),
);
export type ClassifierCase = z.infer<typeof ClassifierCase>;
export const ClassifierCases = z.array(ClassifierCase).max(2000);

/** What training came to; no body: it is not better, or nothing can be said. */
export const Trained = z.lazy(() => z.strictObject({ report: ClassifierReport, body: ClassifierBody.nullable() }));
export type Trained = z.infer<typeof Trained>;
