/** What all of working memory is made of. */

import { z } from "zod";
import { CallId } from "../../tool.ts";
import { MemoryId } from "../record.ts";

export const WorkKind = z.enum(["goal", "task", "plan", "step", "incident"]);
export type WorkKind = z.infer<typeof WorkKind>;

/** `<boot>-<kind>-<sequence>`: the form of every memory, so that links can name it. */
export const WorkId = MemoryId;

const utf8 = new TextEncoder();

/** A JSON object of bounded size. */
export const json = (bytes_max: number) =>
  z
    .record(z.string().max(100), z.json())
    .refine((value) => utf8.encode(JSON.stringify(value)).length <= bytes_max, `at most ${bytes_max} bytes as JSON`);

export const JsonObject = z.record(z.string(), z.json());
export type JsonObject = z.infer<typeof JsonObject>;

/** Why it does not go on: an approval is the broker's (contracts/permission.ts), here is only which call it is for. */
export const WaitsFor = z.lazy(() => z.strictObject({ call: CallId.nullable(), what: z.string().min(1).max(500) }));
