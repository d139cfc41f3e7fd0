/** What a route of the console is, and the pieces of which queries are made. */

import { z } from "zod";

export interface Route {
  readonly method: "GET" | "POST";
  /** With `{name}` for path parameters. */
  readonly path: string;
  readonly summary: string;
  readonly path_params: z.ZodObject;
  /** Query parameters arrive as strings; the schema says how each is read. */
  readonly query: z.ZodObject;
  readonly body: z.ZodType | null;
  /** Bytes of the body, where it may be larger than usual. */
  readonly body_bytes_max?: number;
  readonly response: z.ZodType;
  /** The response is a stream of newline-delimited JSON (application/x-ndjson), one `response` a line. */
  readonly stream: boolean;
}

export function route<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType | null,
  R extends z.ZodType,
  S extends boolean,
>(shape: {
  method: "GET" | "POST";
  path: string;
  summary: string;
  path_params: P;
  query: Q;
  body: B;
  body_bytes_max?: number;
  response: R;
  stream: S;
}) {
  return shape;
}

export const none = z.strictObject({});
export const Flag = z
  .enum(["true", "false"])
  .default("false")
  .transform((value) => value === "true");
export const Count = (fallback: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,7}$/, "a whole number")
    .default(String(fallback))
    .transform(Number)
    .pipe(z.int().min(1).max(max));
/** A number of milliseconds or of an entry; null when it is not given. */
export const Whole = z
  .string()
  .regex(/^\d{1,15}$/, "a whole number")
  .transform(Number)
  .nullable()
  .default(null);
