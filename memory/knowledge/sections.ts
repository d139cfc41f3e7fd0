/** A document by its headings (ATX, CommonMark 4.2): each section is found and shown by itself. */

import type { FrontMatter } from "../../contracts/memory/knowledge.ts";

export interface Section {
  /** Headings from the second level down: `Steps > Free room`; empty: what stands before the first. */
  readonly heading: string;
  readonly text: string;
}

const levels_max = 6;

/** The first is the document as a whole: what it is about, and what stands before its first heading. */
export function sectionsOf(front: FrontMatter, body: string): Section[] {
  const path: string[] = [];
  const opening = [front.summary, ...front.symptoms, [...front.applies_to, ...front.events].join(" ")].filter((line) => line !== "");
  const sections = [{ heading: "", lines: opening }];
  let fence: string | null = null;
  for (const line of body.split("\n")) {
    const marks = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== null) {
      if (marks?.startsWith(fence) === true) fence = null;
    } else if (marks !== undefined) fence = marks;
    const heading = fence === null ? /^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$/.exec(line) : null;
    const level = heading?.[1]?.length ?? 0;
    if (heading === null || level === 0) sections.at(-1)?.lines.push(line);
    else if (level > 1) {
      path.length = Math.min(path.length, level - 2);
      while (path.length < level - 2) path.push("…");
      path.push(plain(heading[2] ?? ""));
      sections.push({ heading: path.slice(0, levels_max).join(" > "), lines: [] });
    }
  }
  return sections
    .map(({ heading, lines }) => ({ heading, text: lines.join("\n").trim() }))
    .filter(({ heading, text }) => heading === "" || text !== "");
}

/** A heading without its marks. */
function plain(text: string): string {
  return text.replaceAll(/[`*_]/g, "").replaceAll(" > ", " ").trim();
}
