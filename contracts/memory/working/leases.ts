/** Who works on what, and what each tier keeps in mind. */

import { z } from "zod";
import { Tier } from "../record.ts";
import { JsonObject, WorkId } from "./fields.ts";

/** Who works on what, how long: told by the boot clock, and over with the boot. */
export const Lease = z.lazy(() =>
  z.strictObject({
    root: WorkId,
    holder: z.string(),
    /** Grows with each holder: what is done under an older one is refused. */
    fence: z.int(),
    left_ms: z.number(),
  }),
);
export type Lease = z.infer<typeof Lease>;

export const Fence = z.int().min(1);

/** A process, not a tier: one that was started again does not know what the one before did. */
export const Holder = z.string().min(1).max(64);

export const Ttl = z.int().min(1000).max(600_000);

export const context_bytes_max = 32 * 1024;

export const ContextOf = z.lazy(() =>
  z.strictObject({
    tier: Tier,
    /** 0: nothing was ever kept. */
    version: z.int(),
    changed_ms: z.number().nullable(),
    body: JsonObject,
  }),
);
export type ContextOf = z.infer<typeof ContextOf>;
