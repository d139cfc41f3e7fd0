/**
 * A playbook: what has been found to help against an alarm, as calls with the parameters of the day. Data, never code; each
 * call is judged by the policies like any other.
 */

import { z } from "zod";
import { AlarmName } from "./alarm.ts";
import { ToolName } from "./tool.ts";

export const PlaybookName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,59}$/, "a playbook's name is a lower-case letter, then up to 59 of a-z 0-9 -");

export const PlaybookStep = z.lazy(() =>
  z.strictObject({
    tool: ToolName,
    /** Values may hold `{subject}` or another parameter; one that is nothing but `{pid|number}` becomes a number. */
    arguments: z.record(z.string().max(64), z.json()),
    /** For the record: what the call is for. */
    why: z.string().min(1).max(300),
    /** When it fails the next steps are done all the same. */
    may_fail: z.boolean().default(false),
  }),
);
export type PlaybookStep = z.infer<typeof PlaybookStep>;

export const Playbook = z.lazy(() =>
  z.strictObject({
    name: PlaybookName,
    /** The alarms that it is against. */
    alarms: z.array(AlarmName).min(1).max(16),
    /** Which subjects: a regular expression with named groups, each a further parameter. Left out: all. */
    subject: z.string().max(200).optional(),
    /** For people: what it does. */
    does: z.string().min(1).max(300),
    /** Of those with as good a record the lower is tried first: the gentler one. */
    rank: z.int().min(0).max(9).default(0),
    steps: z.array(PlaybookStep).min(1).max(16),
    /** Milliseconds within which the alarm has to be cleared after the last call; else it did not help. */
    watch_ms: z.int().min(1000).max(3_600_000),
  }),
);
export type Playbook = z.infer<typeof Playbook>;
