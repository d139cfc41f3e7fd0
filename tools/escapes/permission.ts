import type { Attempt } from "./attempt.ts";
export const permission: readonly Attempt[] = [];
