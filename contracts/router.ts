/** What the router goes by, as data (agents/router/thresholds.yaml). */

import { z } from "zod";

const Chance = z.number().min(0).max(1);
const Milliseconds = z.int().min(1).max(600_000);

export const Thresholds = z.lazy(() =>
  z.strictObject({
    /** Per tier that acts: */
    acting: z.record(
      z.enum(["tactical", "strategic"]),
      z.strictObject({
        /** What is less likely to help is not tried before the tier above was asked. Where a tier begins; it learns its own. */
        sure_min: Chance,
        /** What is less likely is never tried. */
        try_min: Chance,
      }),
    ),
    /** How a tier learns its own `sure_min`, from decisions whose chance lay in the same tenth. */
    learning: z.strictObject({
      /** Fewer outcomes say nothing. */
      outcomes_min: z.int().min(1),
      /** Standard deviations of the score interval (Wilson 1927): 1.645 is 95 % on one side. */
      deviations: z.number().min(0.5).max(5),
      /** How far what is learned may go. */
      least: Chance,
      most: Chance,
    }),
    /** How long a model may take; later nobody waits for it, and the tier goes on without. */
    deadlines: z
      .strictObject({
        operational_choice_ms: Milliseconds,
        tactical_choice_ms: Milliseconds,
        tactical_arguments_ms: Milliseconds,
        /** One question to the models behind an API, with all that they look at; */
        strategic_question_ms: Milliseconds,
        /** and one turn of it. */
        strategic_turn_ms: Milliseconds,
      })
      .refine((given) => given.strategic_turn_ms <= given.strategic_question_ms, "a turn cannot take longer than its question"),
    /** How far models behind an API may look into one question. */
    thinking: z.strictObject({
      /** The last is for the answer alone. */
      turns_max: z.int().min(1).max(64),
      /** Calls of tools that only read. */
      looks_max: z.int().min(1).max(256),
      /** Of one turn's answer. */
      tokens_max: z.int().min(256).max(32_000),
    }),
    /** How signals become a chance: a logistic regression, drawn towards these weights by normal priors. */
    calibration: z.strictObject({
      /** With fewer outcomes on record only who is in `alone` is heard: the neighbours, by the rule of succession. */
      outcomes_min: z.int().min(1),
      /** Weights of the log odds before anything is known, by who gives the signal. */
      weights: z.record(z.string().max(40), z.number().min(0).max(4)),
      /** Of the priors: how far from them a weight is easily found. */
      weight_deviation: z.number().min(0.01).max(10),
      bias_deviation: z.number().min(0.01).max(10),
      /** A model's word counts as so much of it until its record says more. */
      unproven_factor: Chance,
    }),
    /** Earlier cases that are alike. */
    neighbours: z.strictObject({
      looked_at: z.int().min(1).max(50),
      /** Cosine from which on a case counts, and from which on it is known. */
      alike_min: Chance,
      known_min: Chance,
      /** What helped with so high a chance over so many cases needs no model's word. */
      sure_min: Chance,
      sure_cases_min: z.int().min(1),
    }),
    /** What a model of this machine may choose from. */
    tools: z.strictObject({
      families: z
        .array(z.string().regex(/^[a-z]{2,12}$/))
        .min(1)
        .max(32),
      offered_max: z.int().min(2).max(16),
      /** Longest schema of arguments, as JSON without its descriptions: what is longer a small model cannot read and fill in. */
      schema_chars_max: z.int().min(100).max(20_000),
      /** Of the arguments that it writes. */
      tokens_max: z.int().min(16).max(1000),
      /** Milliseconds after the call within which it has to help. */
      watch_ms: Milliseconds,
    }),
    /**
     * What was handed to a person and still stands is taken up again: what was away (a repository, a provider, a budget) may be back.
     * Milliseconds after it was handed over; twice as long each time, up to the longest.
     */
    again: z.strictObject({ after_ms: z.int().min(60_000), most_ms: z.int().min(60_000) }),
    /** When the system proposes a goal of its own: the same was solved so often within so many milliseconds. */
    proposing: z.strictObject({ solved_min: z.int().min(2).max(100), within_ms: z.int().min(60_000) }),
    /** A goal that a model of this machine splits into steps. */
    splitting: z.strictObject({ steps_max: z.int().min(1).max(12) }),
    /** Many alarms at once. */
    storms: z.strictObject({
      /** Alarms of one subject raised within so long of each other are one incident. */
      subject_window_ms: Milliseconds,
      /** More new alarms than this are a storm: an incident for each kind of alarm, for the gravest kinds. */
      alarms_max: z.int().min(1),
      /** What is raised so long after belongs to it. */
      window_ms: Milliseconds,
      incidents_max: z.int().min(1).max(32),
      /** For so long what belongs to an incident has none of its own. */
      hold_ms: Milliseconds,
    }),
  }),
);
export type Thresholds = z.infer<typeof Thresholds>;
