import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { declare, declaredValue, SettingImage } from "./shared/settings.ts";
import { refusal, sysctl_names, sysctlPath } from "./shared/sysctls.ts";

export const sysctl_prefix = "sysctl/";

/** Fields of several values are separated by tabs in the kernel, and by single spaces here. */
export function readSysctl(key: string): string {
  try {
    return readFileSync(sysctlPath(key), "utf8").trim().split(/\s+/).join(" ");
  } catch (error) {
    throw new ToolError(`reading the kernel parameter "${key}" failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function writeSysctl(key: string, value: string): void {
  try {
    writeFileSync(sysctlPath(key), `${value}\n`);
  } catch (error) {
    throw new ToolError(
      `setting the kernel parameter "${key}" to "${value}" failed: ${error instanceof Error ? error.message : String(error)}; in a container most belong to the host`,
    );
  }
}

export const sysctl = defineTool({
  name: "sys.sysctl",
  title: "Kernel parameter",
  description:
    "Reads one kernel parameter (sysctl), or sets it when `value` is given. Only parameters of the list can be read or set: those that tune memory, files and the network. A value that is set holds at once and after every reboot.",
  input: z.lazy(() =>
    z.strictObject({
      name: z.enum(sysctl_names as [string, ...string[]]).describe("the parameter, with dots: vm.swappiness"),
      value: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .describe("the new value, several numbers separated by single spaces; left out: only read"),
    }),
  ),
  output: z.lazy(() => z.strictObject({ name: z.string(), value: z.string(), before: z.string() })),
  risk: "reversible",
  riskOf: ({ value }) => (value === undefined ? "observe" : "reversible"),
  timeout_ms: 5000,
  idempotent: true,
  tainted: false,
  image: SettingImage,
  resolve: ({ name, value }) => {
    if (!existsSync(sysctlPath(name)))
      throw new ToolError(`looking for the kernel parameter "${name}" failed: this kernel does not have it`);
    const refused = value === undefined ? null : refusal(name, value);
    if (refused !== null) throw new ToolError(`setting "${name}" to "${value}" failed: ${refused}`);
    return {
      resources: [
        { kind: "setting", id: `sysctl/${name}`, access: value === undefined ? "read" : "write", attributes: {} },
      ] satisfies Resource[],
    };
  },
  preview: (_, { name, value }) => ({ changes: [`${name}: "${readSysctl(name)}" becomes "${value ?? readSysctl(name)}"`], final: [] }),
  snapshot: (_, { name }, { state }) => ({ value: readSysctl(name), declared: declaredValue(state, sysctl_prefix + name) }),
  run: (_, { name, value }, { state }) => {
    const before = readSysctl(name);
    if (value !== undefined) {
      writeSysctl(name, value);
      declare(state, sysctl_prefix + name, value);
    }
    return { name, value: readSysctl(name), before };
  },
  verify: (_, { name, value }) => {
    if (value !== undefined && readSysctl(name) !== value)
      throw new ToolError(`setting "${name}" to "${value}" failed: the kernel made "${readSysctl(name)}" of it`);
  },
  undo: ({ value, declared }, past, { state }) => {
    const { name } = z.looseObject({ name: z.enum(sysctl_names as [string, ...string[]]) }).parse(past.input);
    if (readSysctl(name) !== value) writeSysctl(name, value);
    declare(state, sysctl_prefix + name, declared);
  },
  verifyUndone: ({ value }, past) => {
    const { name } = z.looseObject({ name: z.string() }).parse(past.input);
    if (readSysctl(name) !== value) throw new ToolError(`restoring "${name}" to "${value}" failed: it is "${readSysctl(name)}"`);
  },
});
