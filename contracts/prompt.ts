/**
 * A prompt for a model of this machine, as data with its cases. `system` is the same for a whole boot, so that it is read once;
 * `question` holds what is new. Both have places, `{name}`: `ours` for words that the system itself has chosen, `data` for text
 * of whatever origin, which is written as a JSON string, so that it can neither end its quotes nor begin a line.
 */

import { z } from "zod";

export const PromptName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "a prompt's name is a lower-case letter, then up to 39 of a-z 0-9 -");
const Place = z.string().regex(/^[a-z][a-z0-9_]{0,29}$/, "a place is named by a lower-case letter, then up to 29 of a-z 0-9 _");

/** What is put in, what comes out, and what must not happen. */
export const PromptCase = z.lazy(() =>
  z.strictObject({
    name: z.string().min(1).max(100),
    given: z.record(Place, z.string().max(20_000)),
    /** Offered for a choice; empty where the answer is JSON of a schema. */
    options: z.array(z.string().min(1).max(100)).max(64).default([]),
    /** Of the options those that are right; empty: what is right is not said, only what must not happen. */
    right: z.array(z.string().min(1).max(100)).max(8).default([]),
    /** Of an answer in JSON the members that are right, with these very values; what is the schema's default may be left out. Null: it is not said. */
    right_json: z.record(z.string().min(1).max(64), z.json()).nullable().default(null),
    /** Must not stand outside of a quoted text in what the model reads, nor be an option. */
    never: z.array(z.string().min(1).max(500)).max(8).default([]),
  }),
);
export type PromptCase = z.infer<typeof PromptCase>;

export const Prompt = z.lazy(() =>
  z.strictObject({
    name: PromptName,
    /** Which tier asks it, and what for. */
    tier: z.enum(["operational", "tactical", "strategic"]),
    does: z.string().min(1).max(300),
    /** One option of a few, or JSON of a schema. */
    answer: z.enum(["choice", "json"]),
    system: z.string().min(1).max(8000),
    question: z.string().min(1).max(4000),
    places: z.record(Place, z.enum(["ours", "data"])),
    /** Longest text that a place for data takes; what is longer is cut. */
    data_chars_max: z.int().min(10).max(4000),
    cases: z.array(PromptCase).min(1).max(64),
  }),
);
export type Prompt = z.infer<typeof Prompt>;
