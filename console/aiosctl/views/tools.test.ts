import { expect, test } from "bun:test";
import { z } from "zod";
import { tools } from "../../testing/broker-records.ts";
import { noPaint } from "../text/style.ts";
import { toolView } from "./tools.ts";

const Signer = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("itself") }),
  z.strictObject({ by: z.literal("authority"), authority: z.string(), days: z.number().optional() }),
]);

test("what members of members are can be read off, and null beside another kind", () => {
  const [tool] = tools;
  if (tool === undefined) throw new Error("the records have no tool");
  const inputSchema = z.toJSONSchema(
    z.strictObject({ signed_by: Signer, names: z.array(z.enum(["a", "b"])), deep: z.array(z.array(Signer)) }),
  );
  const outputSchema = { type: "object", properties: { request: { type: ["string", "null"] } }, required: ["request"] };
  const lines = toolView({ ...tool, inputSchema, outputSchema }, { paint: noPaint, width: undefined });
  const line = (name: string): string | undefined => lines.find((text) => text.trim().startsWith(`${name} `))?.trim();
  const signer = '{ by: "itself" } | { by: "authority", authority: string, days?: number }';
  expect(line("signed_by")).toBe(`signed_by  ${signer}`);
  expect(line("names")).toBe('names      ("a" | "b")[]');
  expect(line("deep")).toBe(`deep       (${signer})[][]`);
  expect(line("request")).toBe("request  string | null");
});
