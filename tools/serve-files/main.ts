/** `aios serve-files FOLDER PORT` */

import { serveFiles } from "./serve-files.ts";

export async function main(): Promise<void> {
  const [folder = "", port = ""] = process.argv.slice(3);
  try {
    if (!folder.startsWith("/") || !/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65_535)
      throw new Error(`reading "${folder}" and "${port}" failed: a folder as an absolute path and a port are wanted`);
    const server = serveFiles(folder, Number(port));
    process.stdout.write(`serving ${folder} on port ${server.port}\n`);
    process.on("SIGTERM", () => void server.stop().then(() => process.exit(0)));
  } catch (error) {
    process.stderr.write(`serve-files: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
