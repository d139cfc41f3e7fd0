import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The real path of as much of it as is there, with the rest as it stands. For what is said about paths, grants and questions of the
 * audit; what is touched is resolved once and held (`place.ts`).
 */
export function realPath(path: string): string {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    try {
      return join(realpathSync(at), ...missing);
    } catch {
      if (at === dirname(at)) return path;
      missing.unshift(at.slice(dirname(at).length).replace(/^\//, ""));
    }
  }
}
