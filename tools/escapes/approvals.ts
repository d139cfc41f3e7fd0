import type { Attempt } from "./attempt.ts";
export const approvals: readonly Attempt[] = [];
