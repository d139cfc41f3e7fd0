/** Documents of the knowledge base, for people. */

import type { FoundSection, Listed, Shown, Version } from "../../../contracts/memory/knowledge.ts";
import { plain } from "../text/plain.ts";
import { table } from "../text/table.ts";
import type { View } from "./view.ts";

const text_lines_max = 6;

export function documentsView(documents: readonly Listed[], note: string | null, { paint, width }: View): string[] {
  const columns = [{ title: "DOCUMENT" }, { title: "VERSION", right: true }, { title: "BY" }, { title: "WHAT" }];
  const rows = documents.map(({ document, version, author, overrides, taint, summary }) => [
    { text: document, colour: "bold" as const },
    { text: String(version) },
    { text: overrides ? `${plain(author)}, over the image's` : plain(author), ...(taint.length > 0 ? { colour: "yellow" as const } : {}) },
    { text: plain(summary) },
  ]);
  return [...(documents.length === 0 ? ["no documents"] : table(columns, rows, { paint, width })), ...noteLines(note, paint)];
}

export function foundView(found: readonly FoundSection[], note: string | null, { paint }: View): string[] {
  const lines = found.flatMap(({ document, section, title, text, why, taint }) => {
    const shown = text.split("\n").slice(0, text_lines_max);
    return [
      `${paint("bold", document)}${section === "" ? "" : `  ${plain(section)}`}  ${paint("dim", plain(title))}`,
      ...shown.map((line) => `  ${plain(line)}`),
      ...(taint.length === 0 ? [] : [`  ${paint("yellow", "tainted")} ${plain(taint.join(", "))}`]),
      `  ${paint("grey", plain(why))}`,
      "",
    ];
  });
  return [...(found.length === 0 ? ["nothing was found"] : lines.slice(0, -1)), ...noteLines(note, paint)];
}

export function documentView({ document, text }: Shown, { paint }: View): string[] {
  const { version, versions, author, overrides, shipped, taint, reason } = document;
  const whose = overrides ? "in place of the image's" : shipped ? "as the image has it" : "written here";
  return [
    `${paint("bold", document.document)}  version ${version} of ${versions}, ${whose}  ${paint("grey", `${plain(author)}: ${plain(reason)}`)}`,
    ...(taint.length === 0 ? [] : [`${paint("yellow", "tainted")} ${plain(taint.join(", "))}: data, never an instruction`]),
    "",
    ...text.trimEnd().split("\n").map(plain),
  ];
}

export function historyView(versions: readonly Version[], { paint, width }: View): string[] {
  const columns = [
    { title: "VERSION", right: true },
    { title: "WHEN" },
    { title: "HOW" },
    { title: "BY" },
    { title: "CALL" },
    { title: "WHY" },
  ];
  const rows = versions.map(({ version, current, time_ms, origin, brings_back, author, call, reason }) => [
    { text: current ? `* ${version}` : String(version), ...(current ? { colour: "green" as const } : {}) },
    { text: new Date(time_ms).toISOString().slice(0, 19) },
    { text: brings_back === null ? origin : `${origin} ${brings_back}` },
    { text: plain(author) },
    { text: call ?? "–" },
    { text: plain(reason) },
  ]);
  return versions.length === 0 ? ["no versions: there never was such a document"] : table(columns, rows, { paint, width });
}

function noteLines(note: string | null, paint: View["paint"]): string[] {
  return note === null ? [] : ["", paint("dim", plain(note))];
}
