/**
 * What a drive says of its own health, as `smartctl --json` tells it (smartctl(8); NVM Express Base Specification, figure "SMART /
 * Health Information Log"; ATA/ATAPI Command Set, SMART feature set). What a drive does not tell is null.
 */

import { z } from "zod";
import { issuesText } from "../../../../wire/issues.ts";

export const Health = z.enum(["good", "failing", "unknown"]);

/** Of one drive, by itself. */
export interface DriveReport {
  readonly model: string | null;
  readonly serial: string | null;
  readonly health: z.infer<typeof Health>;
  /** What is wrong, or why it is not known. */
  readonly findings: string[];
  readonly temperature_c: number | null;
  /** Part of the writes that it is made for; above 1 it has done more. */
  readonly worn_ratio: number | null;
  readonly power_on_hours: number | null;
  /** Sectors that could not be read, or were replaced. */
  readonly bad_sectors: number | null;
}

const Whole = z.number().int().min(0);

/** Of its output, what is looked at. */
const Told = z.lazy(() =>
  z.object({
    smartctl: z.object({
      exit_status: z.number().int(),
      messages: z.array(z.object({ string: z.string(), severity: z.string() })).optional(),
    }),
    model_name: z.string().optional(),
    scsi_model_name: z.string().optional(),
    serial_number: z.string().optional(),
    smart_status: z.object({ passed: z.boolean() }).optional(),
    temperature: z.object({ current: z.number().optional() }).optional(),
    power_on_time: z.object({ hours: Whole.optional() }).optional(),
    nvme_smart_health_information_log: z
      .object({
        critical_warning: Whole,
        percentage_used: Whole.optional(),
        media_errors: Whole.optional(),
      })
      .optional(),
    ata_smart_attributes: z
      .object({
        table: z.array(
          z.object({
            id: Whole,
            value: z.number(),
            thresh: z.number(),
            when_failed: z.string(),
            flags: z.object({ prefailure: z.boolean() }).optional(),
            raw: z.object({ value: z.number() }),
          }),
        ),
      })
      .optional(),
  }),
);
type Told = z.infer<typeof Told>;

/** Bits of `critical_warning`. */
const nvme_warnings = [
  "its spare blocks are below the threshold",
  "its temperature is beyond a threshold",
  "it is unreliable because of errors of the medium or of its own",
  "it is read-only",
  "its backup of volatile memory failed",
  "its persistent memory is read-only or unreliable",
] as const;

/** Attributes whose raw value counts sectors in practice, whoever made the drive: reallocated, pending, uncorrectable. */
const sector_attributes: readonly number[] = [5, 197, 198];
/** smartctl(8), EXIT STATUS: the device could not be opened, or is asleep. */
const not_opened = 2;
const words_max = 200;

/** @throws when it is no such output */
export function readSmart(output: string): DriveReport {
  const parsed = Told.safeParse(JSON.parse(output));
  if (!parsed.success) throw new Error(`smartctl said what cannot be understood: ${issuesText(parsed.error)}`);
  const told = parsed.data;
  const wrong = [...nvmeFindings(told), ...ataFindings(told)];
  const passed = told.smart_status?.passed;
  if (passed === false && wrong.length === 0) wrong.push("it says of itself that it fails");
  const health = passed === undefined ? "unknown" : passed && wrong.length === 0 ? "good" : "failing";
  const log = told.nvme_smart_health_information_log;
  return {
    model: told.model_name ?? told.scsi_model_name ?? null,
    serial: told.serial_number ?? null,
    health,
    findings: health === "unknown" ? [whyUnknown(told)] : wrong,
    temperature_c: told.temperature?.current ?? null,
    worn_ratio: log?.percentage_used === undefined ? null : log.percentage_used / 100,
    power_on_hours: told.power_on_time?.hours ?? null,
    bad_sectors: log?.media_errors ?? badSectors(told),
  };
}

function nvmeFindings({ nvme_smart_health_information_log: log }: Told): string[] {
  const warning = log?.critical_warning ?? 0;
  return nvme_warnings.filter((_, bit) => (warning & (1 << bit)) !== 0);
}

/** An attribute that announces a failure and has reached its threshold; one of the others is about age alone. */
function ataFindings({ ata_smart_attributes: attributes }: Told): string[] {
  const failing = (attributes?.table ?? []).filter(({ when_failed, flags }) => when_failed === "now" && flags?.prefailure !== false);
  return failing.map(({ id, value, thresh }) => `its attribute ${id} is at ${value}, and ${thresh} means failure`);
}

function badSectors({ ata_smart_attributes: attributes }: Told): number | null {
  const counts = (attributes?.table ?? []).filter(({ id }) => sector_attributes.includes(id));
  return counts.length === 0 ? null : counts.reduce((sum, { raw }) => sum + raw.value, 0);
}

function whyUnknown({ smartctl }: Told): string {
  const said = smartctl.messages?.[0]?.string.slice(0, words_max);
  if (said !== undefined) return said;
  return (smartctl.exit_status & not_opened) === 0 ? "it tells nothing of its health" : "it sleeps, or could not be opened";
}
