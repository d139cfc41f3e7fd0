/** The console service process: reads where things are, and starts. */

import { console_socket, run_dir } from "../contracts/paths.ts";
import { createLog } from "../wire/log.ts";
import { startConsole } from "./service.ts";

export async function main(): Promise<void> {
  const log = createLog();
  await startConsole({
    run: run_dir,
    http_socket: console_socket,
    log: (message) => log.warn(message),
    startLink: async () => await (await import("./link/guest.ts")).startGuestLink(console_socket, (message) => log.warn(message)),
  });
}
