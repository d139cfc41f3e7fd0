/** Files of a folder over HTTP (RFC 9110): GET and HEAD, `index.html` for a folder, nothing from outside it, whatever links say. */

import { realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";

export interface FileServer {
  readonly port: number;
  stop(): Promise<void>;
}

const text = (status: number, words: string, headers: Record<string, string> = {}): Response =>
  new Response(`${words}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });

/** @param port 0: any free one @throws when the folder is not there or the port is taken */
export function serveFiles(folder: string, port: number, hostname = "::"): FileServer {
  const root = realpathSync(folder);
  if (!statSync(root).isDirectory()) throw new Error(`serving "${folder}" failed: it is no folder`);
  const server = Bun.serve({
    port,
    hostname,
    fetch(request) {
      if (request.method !== "GET" && request.method !== "HEAD") return text(405, "only GET and HEAD", { allow: "GET, HEAD" });
      const path = fileFor(root, new URL(request.url).pathname);
      if (path === null) return text(404, "there is no such file");
      return new Response(Bun.file(path), { headers: { "x-content-type-options": "nosniff" } });
    },
    error: () => text(500, "reading the file failed"),
  });
  return { port: server.port ?? port, stop: () => server.stop(true) };
}

/** The file that a path stands for, or null: not there, not to be read, outside the folder, hidden. */
function fileFor(root: string, pathname: string): string | null {
  try {
    const wanted = decodeURIComponent(pathname);
    if (wanted.includes("\0") || wanted.split("/").some((name) => name.startsWith("."))) return null;
    const found = realpathSync(join(root, wanted));
    const path = statSync(found).isDirectory() ? realpathSync(join(found, "index.html")) : found;
    return path.startsWith(root.endsWith(sep) ? root : root + sep) && statSync(path).isFile() ? path : null;
  } catch {
    return null;
  }
}
