/** Questions for tests, from one line: see example.ts. */

import type { Resource } from "../../../contracts/tool.ts";
import type { Question } from "../authorise.ts";
import { parseExamples } from "../example.ts";

/** `ask("tier:tactical fs.write path:/srv/www/a tainted")` */
export function ask(line: string, change: Partial<Question> = {}): Question {
  const [example] = parseExamples(line);
  if (example === undefined) throw new Error(`making a question failed: ${JSON.stringify(line)} holds none`);
  return { ...example.question, ...change };
}

export function path(id: string, access: Resource["access"] = "write", attributes: Resource["attributes"] = {}): Resource {
  return { kind: "path", id, access, attributes };
}
