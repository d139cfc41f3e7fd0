import { readFileSync } from "node:fs";
import { z } from "zod";
import { configured_hostname } from "../../../contracts/paths.ts";
import type { Resource } from "../../../contracts/tool.ts";
import { writeDurably } from "../../../wire/files.ts";
import type { Context } from "../../context.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { readOrNull } from "../shared/small-files.ts";
import { declare, declaredValue, SettingImage } from "./shared/settings.ts";

const Name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "a host name is 1 to 63 of a-z 0-9 -, not at the ends (RFC 1123)");

export const hostname_key = "hostname";

/** uname(2) by its file: `/etc/hostname` and the kernel agree afterwards. */
export function setHostname(name: string, { sys, places }: Pick<Context, "sys" | "places">): void {
  sys.host.setHostname(name);
  writeDurably(`${places.run}/etc/hostname`, `${name}\n`);
}

/** By a call, or else by the machine config; null: nobody says what it is called. */
export function hostnameDeclared({ state, places }: Pick<Context, "state" | "places">): string | null {
  return declaredValue(state, hostname_key) ?? readOrNull(`${places.run}/${configured_hostname}`)?.trim() ?? null;
}

function current(): string {
  return readFileSync("/proc/sys/kernel/hostname", "utf8").trim();
}

export const hostname = defineTool({
  name: "sys.hostname",
  title: "Host name",
  description:
    "Reads the host name, or sets it when `set` is given. A name that is set holds at once and after every reboot, over the one of the machine config. Services that have read the old name keep it until they are restarted.",
  input: z.lazy(() =>
    z.strictObject({ set: Name.optional().describe("the new host name, one label without a domain; left out: only read") }),
  ),
  output: z.lazy(() => z.strictObject({ hostname: z.string(), before: z.string() })),
  risk: "reversible",
  riskOf: ({ set }) => (set === undefined ? "observe" : "reversible"),
  timeout_ms: 5000,
  idempotent: true,
  tainted: false,
  image: SettingImage,
  resolve: ({ set }) => ({
    resources: [{ kind: "setting", id: "hostname", access: set === undefined ? "read" : "write", attributes: {} }] satisfies Resource[],
  }),
  preview: (_, { set }) => ({ changes: [`the host name "${current()}" becomes "${set ?? current()}"`], final: [] }),
  snapshot: (_, __, { state }) => ({ value: current(), declared: declaredValue(state, hostname_key) }),
  run: (_, { set }, context) => {
    const before = current();
    if (set !== undefined) {
      setHostname(set, context);
      declare(context.state, hostname_key, set);
    }
    return { hostname: current(), before };
  },
  verify: (_, { set }) => {
    if (set !== undefined && current() !== set) throw new ToolError(`setting the host name "${set}" failed: it is "${current()}"`);
  },
  undo: ({ value, declared }, _, context) => {
    setHostname(value, context);
    declare(context.state, hostname_key, declared);
  },
  verifyUndone: ({ value }) => {
    if (current() !== value) throw new ToolError(`restoring the host name "${value}" failed: it is "${current()}"`);
  },
});
