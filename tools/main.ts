/** The broker's process. */

import { run_dir } from "../contracts/paths.ts";
import { createLog } from "../wire/log.ts";
import { startService } from "../wire/service.ts";
import { Registry } from "./registry.ts";
import { serveBroker } from "./serve.ts";

export async function main(): Promise<void> {
  await runBroker(run_dir);
}

export async function runBroker(run: string): Promise<void> {
  const log = createLog();
  const registry = new Registry();
  const server = serveBroker(run, registry);
  const detail = (): string => (registry.size === 0 ? "no tools registered" : `${registry.size} tools`);
  const service = await startService({
    name: "broker",
    run,
    health: () => ({ status: "ok", detail: detail(), facts: { tools: registry.size } }),
    onStop: () => server.close(),
  });
  service.ready(detail());
  if (server.missing.length > 0) log.warn(`no folder for the socket of: ${server.missing.join(", ")}`);
}
