/** The provider as a program: `bun agents/testing/provider/main.ts SCRIPT.yaml [PORT] [KEY]`; it prints its URL, then what breaks the protocol. */

import { readScript } from "./script.ts";
import { startProvider } from "./server.ts";

const [path, port = "0", key = process.env["PROVIDER_KEY"] ?? ""] = process.argv.slice(2);
if (path === undefined) throw new Error("starting the provider failed: name a file of conversations");
const provider = await startProvider({ script: readScript(path), key, port: Number(port) });
process.stdout.write(`${provider.anthropic_url}\n`);
let told = 0;
setInterval(() => {
  for (const problem of provider.problems.slice(told)) process.stdout.write(`${problem}\n`);
  told = provider.problems.length;
}, 500);
