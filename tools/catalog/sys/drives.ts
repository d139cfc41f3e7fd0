import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../../context.ts";
import { defineTool } from "../../tool.ts";
import { type DriveReport, Health, readSmart } from "./shared/smart.ts";

const smartctl = "/usr/sbin/smartctl";
const one_drive_ms = 20_000;
const drives_max = 64;

const Drive = z.lazy(() =>
  z.strictObject({
    name: z.string().describe("of the kernel: sda, nvme0n1, mmcblk0"),
    kind: z.enum(["nvme", "ata or scsi", "flash card", "virtual"]),
    size_bytes: z.number().int(),
    model: z.string().nullable(),
    serial: z.string().nullable(),
    health: Health.describe("failing: save what is on it and have it replaced; unknown: it does not tell, `findings` says why"),
    findings: z.array(z.string()).describe("what is wrong with it, or why its health is not known"),
    temperature_c: z.number().nullable(),
    worn_ratio: z.number().nullable().describe("part of the writes that it is made for; above 1 it has done more"),
    power_on_hours: z.number().nullable(),
    bad_sectors: z.number().nullable().describe("that could not be read, or were replaced"),
  }),
);
type Drive = z.infer<typeof Drive>;

export const drives = defineTool({
  name: "sys.drives",
  title: "Health of the drives",
  description:
    "What each drive says of its own health (SMART): whether it is failing and why, temperature, wear, bad sectors, hours. A drive that sleeps is not woken. For how full file systems are use sys.metrics, for errors that the kernel met sys.logs of the service kernel.",
  input: z.lazy(() => z.strictObject({})),
  output: z.lazy(() => z.strictObject({ drives: z.array(Drive) })),
  risk: "observe",
  timeout_ms: 120_000,
  idempotent: true,
  // names of models and serial numbers are what a drive says
  tainted: true,
  image: null,
  resolve: () => ({ resources: [{ kind: "system", id: "drives", access: "read", attributes: {} }] }),
  async run(_, __, context) {
    const found: Drive[] = [];
    for (const name of driveNames()) found.push(await look(name, context));
    return { drives: found };
  },
});

const blocks = "/sys/block";

/** Whole drives: what the kernel makes of others (loop, ram, dm-, md) has no health of its own. */
function driveNames(sys = blocks): string[] {
  return readdirSync(sys)
    .filter((name) => /^(?:sd[a-z]{1,3}|nvme\d+n\d+|mmcblk\d+|vd[a-z]{1,3})$/.test(name))
    .sort()
    .slice(0, drives_max);
}

async function look(name: string, context: Context): Promise<Drive> {
  const kind = kindOf(name);
  const size_bytes = Number(text(name, "size") ?? 0) * 512; // sysfs counts in 512 bytes, whatever the drive does
  return { name, kind, size_bytes, ...(await reportOf(name, kind, context)) };
}

function kindOf(name: string): Drive["kind"] {
  if (name.startsWith("nvme")) return "nvme";
  if (name.startsWith("mmcblk")) return "flash card";
  return name.startsWith("vd") ? "virtual" : "ata or scsi";
}

async function reportOf(name: string, kind: Drive["kind"], { exec }: Context): Promise<DriveReport> {
  if (kind === "flash card") return flashCard(name);
  if (kind === "virtual") return unknown("a virtual drive tells nothing: its host knows");
  if (!existsSync(smartctl)) return unknown("smartctl is not in this image");
  const device = `/dev/${name}`;
  if (!existsSync(device)) return unknown("its device is not here: a container sees the names of its host's drives");
  const { stdout, stderr } = await exec.run({
    argv: [smartctl, "--json=c", "--nocheck=standby,0", "--info", "--health", "--attributes", device],
    // CAP_SYS_ADMIN for commands to an NVMe controller, CAP_SYS_RAWIO for those to a disk behind SCSI
    sandbox: { capabilities: ["cap_sys_admin", "cap_sys_rawio"], devices: [device] },
    limits: { timeout_ms: one_drive_ms },
  });
  try {
    return readSmart(new TextDecoder().decode(stdout));
  } catch (error) {
    const said = new TextDecoder().decode(stderr).trim().slice(0, 200);
    return unknown(said === "" ? (error instanceof Error ? error.message : String(error)) : said);
  }
}

/** JESD84-B51, EXT_CSD: two estimates of wear in tenths, and whether the blocks in reserve are used up. */
function flashCard(name: string): DriveReport {
  const worn = text(name, "device/life_time")?.split(/\s+/).map(Number).filter(Number.isFinite) ?? [];
  const reserve = Number(text(name, "device/pre_eol_info") ?? 0);
  if (worn.length === 0 && reserve === 0) return unknown("a card of this kind tells nothing of its health");
  const findings = reserve >= 3 ? ["nine tenths of its blocks in reserve are used up"] : [];
  return {
    ...nothing,
    model: text(name, "device/name"),
    serial: text(name, "device/serial"),
    health: findings.length > 0 ? "failing" : "good",
    findings,
    worn_ratio: worn.length === 0 ? null : Math.max(...worn) / 10,
  };
}

const nothing = {
  ...{ model: null, serial: null, temperature_c: null, worn_ratio: null, power_on_hours: null, bad_sectors: null },
} as const;

function unknown(why: string): DriveReport {
  return { ...nothing, health: "unknown", findings: [why] };
}

function text(name: string, file: string): string | null {
  try {
    return readFileSync(join(blocks, name, file), "utf8").trim();
  } catch {
    return null;
  }
}
