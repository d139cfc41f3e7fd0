/**
 * An alarm: an undesirable state of a subject that lasts until it is put right (RFC 8632, where the subject is a resource).
 * It is about a figure that a sensor measures of the subject (a mount, a service, a port), is raised when the figure has been
 * beyond `raise` for `for_ms`, and cleared when it has been back at `clear` for `clear_ms`. Data, never code.
 */

import { z } from "zod";
import { Severity } from "./event.ts";

export const AlarmName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "an alarm's name is a lower-case letter, then up to 39 of a-z 0-9 -");

/** `data.used_ratio`: by family, the unit last. */
export const FigureName = z.string().regex(/^[a-z]+\.[a-z][a-z0-9_]{0,39}$/, "a figure is named like data.used_ratio");

const Duration = z.int().min(0).max(86_400_000);

/** What a sensor measured, in order; a value of null: the subject is gone. */
const Example = z
  .array(z.strictObject({ at_ms: z.number().min(0), value: z.number().nullable() }))
  .min(1)
  .max(32);

export const Alarm = z
  .strictObject({
    name: AlarmName,
    figure: FigureName,
    /** Raised by high figures when `raise` is above `clear`, else by low ones. */
    raise: z.number(),
    clear: z.number(),
    for_ms: Duration.default(0),
    clear_ms: Duration.default(0),
    severity: Severity,
    /** For people: what is wrong, in a clause; subject and figure are said with it. */
    means: z.string().min(1).max(200),
    /** The page of the knowledge base that says what to do. */
    runbook: z.string().regex(/^runbooks\/[a-z0-9-]+$/, "a runbook is named like runbooks/disk-full"),
    /** Sequences by whose end it stands, and such by whose end it does not. */
    examples: z.strictObject({ stands: z.array(Example).min(1).max(16), does_not: z.array(Example).min(1).max(16) }),
  })
  .refine(({ raise, clear }) => raise !== clear, "raise and clear must differ, or the alarm flaps");
export type Alarm = z.infer<typeof Alarm>;
