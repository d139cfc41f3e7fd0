import { readFileSync } from "node:fs";
import { arch, release } from "node:os";
import { z } from "zod";
import { Hardware, SystemStatus } from "../../../contracts/init.ts";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool } from "../../tool.ts";

const first = (path: string): string => readFileSync(path, "utf8").trim();

export const info = defineTool({
  name: "sys.info",
  title: "System information",
  description:
    "What this system is: host name, versions, uptime, processor, memory, its state as PID 1 sees it with everything that is degraded, and with `hardware` the inventory of devices. For how busy it is, use sys.metrics.",
  input: z.lazy(() =>
    z.strictObject({
      hardware: z.boolean().default(false).describe("also the inventory of disks, network devices, GPUs, sensors, TPM and firmware"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      hostname: z.string(),
      kernel: z.string(),
      architecture: z.string(),
      uptime_s: z.number(),
      processors: z.number().int(),
      memory_total_bytes: z.number().int(),
      /** Null while PID 1 is not connected. */
      status: SystemStatus.nullable(),
      hardware: Hardware.nullable(),
    }),
  ),
  risk: "observe",
  timeout_ms: 10_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: () => ({ resources: [{ kind: "system", id: "info", access: "read", attributes: {} }] satisfies Resource[] }),
  run: async (_, { hardware }, { init }) => ({
    hostname: first("/proc/sys/kernel/hostname"),
    kernel: release(),
    architecture: arch() === "x64" ? "x86_64" : arch(),
    uptime_s: Number.parseFloat(first("/proc/uptime")),
    processors: navigator.hardwareConcurrency,
    memory_total_bytes: Number(/^MemTotal:\s+(\d+) kB/m.exec(first("/proc/meminfo"))?.[1] ?? 0) * 1024,
    status: init === null ? null : await init.call("system.status", {}),
    hardware: hardware && init !== null ? await init.call("system.hardware", {}) : null,
  }),
});
