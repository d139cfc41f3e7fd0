import { existsSync } from "node:fs";
import { built_userland } from "../testing/open.ts";
import { approvals } from "./approvals.ts";
import type { Attempt } from "./attempt.ts";
import { packages } from "./packages.ts";
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
  // these need the base of the userland, which the image build makes
  { name: "packages", attempts: existsSync(built_userland.file) ? packages : [] },
];
