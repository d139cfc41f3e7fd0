import type { Context } from "../context.ts";
export async function watch(_context: Context, _interval_ms: number): Promise<number> {
  return 0;
}
