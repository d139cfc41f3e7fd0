/** What PID 1 starts the memory service with: measurements of it run with the same. */

import { default_config } from "../../../init/defaults.ts";
import { coreSpecs } from "../../../init/supervise/table.ts";

export function memoryEnvironment(): Readonly<Record<string, string>> {
  const env = coreSpecs(default_config, "container").find(({ name }) => name === "memory")?.env;
  if (env === undefined) throw new Error('measuring memory failed: the table of services has no "memory"');
  return env;
}
