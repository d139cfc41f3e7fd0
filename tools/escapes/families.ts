import { approvals } from "./approvals.ts";
import type { Attempt } from "./attempt.ts";
import { paths } from "./paths.ts";
import { permission } from "./permission.ts";
import { processes } from "./processes.ts";
import { protocol } from "./protocol.ts";
import { secrets } from "./secrets.ts";
import { watching } from "./watching.ts";

export const families: readonly { readonly name: string; readonly attempts: readonly Attempt[] }[] = [
  { name: "paths", attempts: paths },
  { name: "processes", attempts: processes },
  { name: "protocol", attempts: protocol },
  { name: "permission", attempts: permission },
  { name: "approvals", attempts: approvals },
  { name: "secrets", attempts: secrets },
  { name: "watching", attempts: watching },
];
