/** Runs the real console as a process of its own: `bun console/testing/start.ts <run dir> <http socket>`. */

import { startConsole } from "../service.ts";

const [run, http_socket] = process.argv.slice(2);
if (run === undefined || http_socket === undefined) throw new Error("starting the console failed: give a run directory and a socket");
await startConsole({ run, http_socket, log: (message) => process.stderr.write(`${message}\n`) });
