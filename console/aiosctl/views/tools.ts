/** `aiosctl tools`: what the system can do, at which risk. */

import type { Risk, ToolDescription } from "../../../contracts/tool.ts";
import { plain } from "../text/plain.ts";
import type { Colour } from "../text/style.ts";
import { pairs, table } from "../text/table.ts";
import { span } from "../text/units.ts";
import type { View } from "./view.ts";

export const risk_colours: Readonly<Record<Risk, Colour>> = {
  observe: "green",
  reversible: "cyan",
  compensable: "yellow",
  irreversible: "red",
};

export function toolsView(tools: readonly ToolDescription[], { paint, width }: View): string[] {
  if (tools.length === 0) return ["no tools"];
  const columns = [{ title: "TOOL" }, { title: "RISK" }, { title: "UNDO" }, { title: "WHAT" }];
  const rows = tools.map((tool) => [
    { text: tool.name, colour: "bold" as const },
    { text: tool._meta.risk, colour: risk_colours[tool._meta.risk] },
    { text: tool._meta.undoable ? "yes" : "–" },
    { text: plain(tool.title) },
  ]);
  return table(columns, rows, { paint, width });
}

/** One tool with its arguments and its answer. */
export function toolView(tool: ToolDescription, view: View): string[] {
  const { paint } = view;
  const { readOnlyHint, idempotentHint, openWorldHint } = tool.annotations;
  const nature = [
    readOnlyHint ? "changes nothing" : tool._meta.undoable ? "can be taken back" : "cannot be taken back",
    ...(idempotentHint ? ["the same again changes nothing more"] : []),
    ...(openWorldHint ? ["talks to hosts outside"] : []),
  ];
  return [
    `${paint("bold", tool.name)}  ${plain(tool.title)}`,
    "",
    plain(tool.description),
    "",
    ...pairs(
      [
        ["risk", { text: tool._meta.risk, colour: risk_colours[tool._meta.risk] }],
        ["nature", { text: nature.join(", ") }],
        ["limit", { text: span(tool._meta.timeout_ms) }],
      ],
      paint,
    ),
    "",
    paint("bold", "Arguments"),
    ...members(tool.inputSchema, view),
    "",
    paint("bold", "Answer"),
    ...members(tool.outputSchema, view),
    "",
    paint("dim", "The schemas in full: --json"),
  ];
}

/** The members of an object's JSON Schema, those that are needed first. */
function members(schema: Readonly<Record<string, unknown>>, { paint }: View): string[] {
  const properties = record(schema["properties"]);
  const names = Object.keys(properties);
  if (names.length === 0) return ["  none"];
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const order = (name: string): number => (required.has(name) ? 0 : 1);
  const widest = Math.max(...names.map((name) => name.length));
  return names
    .sort((a, b) => order(a) - order(b))
    .map((name) => {
      const member = record(properties[name]);
      const kind = typeText(member);
      const must = required.has(name) ? "" : member["default"] === undefined ? " (optional)" : ` (${JSON.stringify(member["default"])})`;
      const said = typeof member["description"] === "string" ? `  ${plain(member["description"])}` : "";
      return `  ${paint("cyan", name.padEnd(widest))}  ${paint("dim", plain(`${kind}${must}`))}${said}`;
    });
}

/** As TypeScript would write it, in short: `"a" | "b"`, `string | null`, `{ by: "authority", authority: string }[]`. */
function typeText(schema: Readonly<Record<string, unknown>>, depth = 0): string {
  if (Array.isArray(schema["enum"])) return schema["enum"].map((one) => JSON.stringify(one)).join(" | ");
  if (schema["const"] !== undefined) return JSON.stringify(schema["const"]);
  const any: unknown = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(any)) return any.map((one) => typeText(record(one), depth)).join(" | ");
  const type: unknown = schema["type"];
  if (Array.isArray(type)) return type.map((one) => typeText({ ...schema, type: one }, depth)).join(" | ");
  if (type === "array") {
    const items = record(schema["items"]);
    const alternatives: unknown = items["enum"] ?? items["anyOf"] ?? items["oneOf"] ?? items["type"];
    const text = typeText(items, depth);
    return Array.isArray(alternatives) && alternatives.length > 1 ? `(${text})[]` : `${text}[]`;
  }
  if (type === "object" && depth < depth_max) return objectText(schema, depth + 1);
  return typeof type === "string" ? type : "any";
}

/** How deep the members of members are shown. */
const depth_max = 2;

function objectText(schema: Readonly<Record<string, unknown>>, depth: number): string {
  const properties = Object.entries(record(schema["properties"]));
  if (properties.length === 0) return "object";
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  return `{ ${properties.map(([name, one]) => `${name}${required.has(name) ? "" : "?"}: ${typeText(record(one), depth)}`).join(", ")} }`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
