/**
 * A learned playbook, or how far one of the image is, as a document of the knowledge base: Markdown for people, with the two
 * fenced blocks that tiers read. A document without such a block is prose, and no affair of theirs.
 */

import { stringify, type ToStringOptions } from "yaml";
import { Learning } from "../../contracts/learning.ts";
import { Playbook } from "../../contracts/playbook.ts";
import { fencedYaml, withFencedYaml } from "../../wire/fenced-yaml.ts";
import { loadPlaybooks } from "../playbooks/playbooks.ts";

/** Every text in quotes on one line: what it says can be no syntax. */
const quoted = { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" } satisfies ToStringOptions;

/** Where documents of this kind are. */
export const folder = "playbooks/";

export interface Lesson {
  /** Null: it is one of the image. */
  readonly playbook: Playbook | null;
  readonly learning: Learning;
}

export function documentId(lesson: Lesson): string {
  const { playbook } = lesson.learning;
  return `${folder}${lesson.playbook === null ? "stage-" : ""}${playbook}`;
}

/** @param text of the version before: what people wrote in it stays */
export function writeDocument(lesson: Lesson, text: string | null = null): string {
  if (text !== null) return withFencedYaml(text, "learning", stringify(lesson.learning, quoted));
  const { playbook, learning } = lesson;
  const tools = [...new Set(playbook?.steps.map(({ tool }) => tool))];
  const title = playbook === null ? `How far the playbook ${learning.playbook} is` : `Learned against ${playbook.alarms.join(", ")}`;
  const summary = playbook?.does ?? `Which tier carries out ${learning.playbook} of the image, and why.`;
  const steps = playbook?.steps.map(({ tool, why }, at) => `${at + 1}. ${tool}: ${why}`) ?? [];
  const page = [
    `---\n${stringify({ title, kind: "playbook", summary, applies_to: ["learning"], ...(tools.length === 0 ? {} : { tools }) }, quoted)}---`,
    ...(steps.length === 0 ? [] : ["## Steps", ...steps, ""]),
    "## For tiers",
    "Read half a minute after it changes at the latest; what is wrong is said, and the document then does not count.",
  ].join("\n");
  const whole = playbook === null ? page : withFencedYaml(page, "playbook", stringify(playbook, quoted));
  return withFencedYaml(whole, "learning", stringify(learning, quoted));
}

/** @returns null: it has no such block @throws what is wrong with it, with lines */
export function readDocument(text: string): Lesson | null {
  const playbook = fencedYaml(text, "playbook", Playbook);
  const about = fencedYaml(text, "learning", Learning);
  const read = playbook === null ? null : checked(playbook);
  if (about === null)
    return read === null ? null : { playbook: read, learning: Learning.parse({ playbook: read.name, stage: "playbook" }) };
  if (read !== null && read.name !== about.playbook)
    throw new Error(`its playbook is named "${read.name}", and its learning is about "${about.playbook}": name them alike`);
  return { playbook: read, learning: about };
}

function checked(playbook: Playbook): Playbook {
  const { loaded, refused } = loadPlaybooks({ [playbook.name]: playbook });
  const [one] = loaded;
  if (one === undefined) throw new Error(refused.join("; "));
  return one;
}
