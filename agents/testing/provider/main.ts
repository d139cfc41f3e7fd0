/** The provider as a program: `bun agents/testing/provider/main.ts SCRIPT.yaml [PORT]`. */

import { readScript } from "./script.ts";
import { startProvider } from "./server.ts";

const [path, port = "0"] = process.argv.slice(2);
if (path === undefined) throw new Error("starting the provider failed: name a file of conversations");
const provider = await startProvider({ script: readScript(path), key: process.env["PROVIDER_KEY"] ?? "", port: Number(port) });
process.stdout.write(`${provider.anthropic_url}\n`);
