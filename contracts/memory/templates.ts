/** What the lines of a log have in common, and what differs between them. */

import { z } from "zod";
import { Severity } from "../event.ts";
import { method } from "../rpc.ts";

/** Append only: the place of one is its number in templates that are kept (memory/templates/kinds.ts). */
export const ParameterKind = z.enum([
  "text",
  "number",
  "duration",
  "size",
  "percent",
  "time",
  "ip",
  "mac",
  "uuid",
  "hex",
  "hash",
  "path",
  "url",
  "host",
  "unit",
  "account",
  "version",
  "pid",
  "quoted",
  "id",
  "rest",
]);
export type ParameterKind = z.infer<typeof ParameterKind>;

/** One value of a line, by the order of the gaps in its template. `untrusted`: text from outside, shown and compared, never obeyed. */
export const Parameter = z.lazy(() => z.strictObject({ kind: ParameterKind, untrusted: z.string().max(256) }));
export type Parameter = z.infer<typeof Parameter>;

export const TemplateId = z.int().min(1);
const Source = z.string().min(1).max(100);

/**
 * How the lines of this minute compare with the past (quasi-Poisson, see memory/templates/rate.ts). `learning`: there is less
 * than half an hour of past. `silent`: lines that used to come do not.
 */
export const RateVerdict = z.enum(["learning", "usual", "burst", "silent"]);

export const TemplateRate = z.lazy(() =>
  z.strictObject({
    /** Lines in the present minute, and in the present hour and the one before. */
    minute_lines: z.int(),
    hour_lines: z.int(),
    hour_before_lines: z.int(),
    /** Lines a minute that the past says. */
    expected_per_minute: z.number(),
    verdict: RateVerdict,
    /** -ln of the probability that this comes by chance, at most; 13.8 is one in a million. */
    surprise: z.number(),
  }),
);
export type TemplateRate = z.infer<typeof TemplateRate>;

export const TemplateSummary = z.strictObject({
  id: TemplateId,
  /**
   * What models may be shown: `Failed password for <text> from <ip> port <number> ssh2`. Words that too few lines had are
   * `<word>`. The rest is still what programs wrote, who may have been made to write it: text from outside.
   */
  shown: z.string().max(1001),
  /** Seen too little for its rare words to be shown. */
  provisional: z.boolean(),
  /** It stands for all lines of its length for which there was no room: too many templates came at once. */
  vague: z.boolean(),
  lines: z.int(),
  first_ms: z.number(),
  last_ms: z.number(),
  /** The gravest of its lines, by the kernel's priority, the level of a JSON line, or what the line itself says (`[error]`). */
  level: Severity,
});
export type TemplateSummary = z.infer<typeof TemplateSummary>;

export const TemplateDetail = z.lazy(() =>
  z.strictObject({
    ...TemplateSummary.shape,
    /** The template that took this one over because they had become the same; what is said here is of that one. */
    merged_into: TemplateId.nullable(),
    rate: TemplateRate,
    /** By lines, most first. */
    sources: z.array(z.strictObject({ source: z.string(), lines: z.int(), first_ms: z.number(), last_ms: z.number() })),
    /** Lines of the last 48 hours, by hours since 1970. */
    hours: z.array(z.strictObject({ hour: z.int(), lines: z.int() })),
    examples: z.array(z.strictObject({ time_ms: z.number(), source: z.string(), parameters: z.array(Parameter) })),
    /** Within a minute after a line, and in how many of the minutes that were watched: `template:7`, `event:service.exited`. */
    followers: z.array(z.strictObject({ follower: z.string(), shown: z.string().nullable(), times: z.int() })),
    watched: z.int(),
  }),
);
export type TemplateDetail = z.infer<typeof TemplateDetail>;

export const UnusualTemplate = z.lazy(() =>
  z.strictObject({
    template: TemplateSummary,
    new: z.boolean(),
    /** For how long a log that it is in had been read when its first line came: in a new log everything is new. */
    log_known_ms: z.number().min(0),
    /** Its last burst since then: its last line, and how many times the usual number of lines that minute had. */
    burst: z.strictObject({ last_ms: z.number(), times_usual: z.number() }).nullable(),
    rate: TemplateRate,
  }),
);
export type UnusualTemplate = z.infer<typeof UnusualTemplate>;

export const MinedLine = z.lazy(() =>
  z.strictObject({
    template: TemplateId,
    parameters: z.array(Parameter),
    /** Not all parameters, or not the whole of each, because there are too many or they are too long. */
    cut: z.boolean(),
    /** No line was like it before. */
    new: z.boolean(),
    /** More of these in this minute than its past explains. */
    burst: z.boolean(),
  }),
);
export type MinedLine = z.infer<typeof MinedLine>;

export const templates_methods = {
  /** Finds the template of each line. Answers when what was counted is durable; on an error nothing was counted. */
  "templates.ingest": method(() => ({
    params: z.strictObject({
      lines: z
        .array(z.strictObject({ source: Source, time_ms: z.number(), text: z.string().max(65_536) }))
        .min(1)
        .max(500),
    }),
    result: z.strictObject({ lines: z.array(MinedLine) }),
  })),
  "templates.list": method(() => ({
    params: z.strictObject({
      filter: z.strictObject({
        source: Source.optional(),
        /** With a line since then. */
        since_ms: z.number().optional(),
        /** First seen since then. */
        new_since_ms: z.number().optional(),
      }),
      order: z.enum(["most", "newest", "latest"]),
      limit: z.int().min(1).max(100),
    }),
    result: z.strictObject({ templates: z.array(TemplateSummary), total: z.int() }),
  })),
  "templates.show": method(() => ({ params: z.strictObject({ id: TemplateId }), result: TemplateDetail.nullable() })),
  /** What is new or unusual: templates first seen since then, bursts of now or since then, and what fell silent; new first, then the most surprising. */
  "templates.rates": method(() => ({
    params: z.strictObject({
      since_ms: z.number(),
      limit: z.int().min(1).max(100),
      level_min: Severity.default("debug"),
      silent: z.boolean().default(true),
    }),
    result: z.array(UnusualTemplate),
  })),
} as const;

export const templates_permissions = {
  operational: ["templates.ingest", "templates.list", "templates.show", "templates.rates"],
  tactical: ["templates.list", "templates.show", "templates.rates"],
  strategic: ["templates.list", "templates.show", "templates.rates"],
  broker: ["templates.ingest", "templates.list", "templates.show", "templates.rates"],
} as const;
