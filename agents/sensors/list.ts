/** The sensors that measure figures for alarms: what each measures, how often, and since when after the start. */

import type { AskTool } from "../shared/ask-tool.ts";
import type { Figure, Sensor } from "./figure.ts";
import { readFileSystemErrors } from "./kernel/file-systems.ts";
import { readHeat } from "./kernel/heat.ts";
import { readLimits } from "./kernel/limits.ts";
import { MetricsSampler } from "./kernel/metrics.ts";
import { own_figures, ownFigures } from "./own.ts";
import { driftFigures } from "./patrol/drift.ts";
import { driveFigures } from "./patrol/drives.ts";
import { LogPatrol } from "./patrol/log-templates.ts";
import { loginFigures } from "./patrol/logins.ts";
import { NetworkPatrol } from "./patrol/network.ts";
import { AdvisoryPatrol, packageFigures } from "./patrol/packages.ts";
import { withoutStopped } from "./patrol/ports.ts";
import { ProcessPatrol } from "./patrol/processes.ts";
import { certificateFigures, portFigures, setuidFigures } from "./patrol/security.ts";
import { usageFigures } from "./patrol/usage.ts";
import type { SensorPorts } from "./run.ts";
import { ServicesSensor } from "./services.ts";
import { systemFigures } from "./system.ts";

const second_ms = 1000;
const minute_ms = 60 * second_ms;
const quarter_ms = 15 * minute_ms;

/** The patrol asks tools, each of which is a call on record: it begins when the system has come up, and looks seldom. */
const patrol_after_ms = 30 * second_ms;

/** However much sooner than in earnest. */
const every_ms_min = 500;

export interface TimedSensor extends Sensor {
  readonly first_after_ms: number;
}

/** Figures of the machine that have an alarm, by the names of the sampler. */
const machine_figures = [
  "data.used_ratio",
  "data.inodes_used_ratio",
  "memory.used_ratio",
  "pressure.memory_full_avg10",
  "pressure.cpu_some_avg10",
  "pressure.io_full_avg10",
] as const;

const service_figures = ["service.down_s", "service.crash_loop", "service.unwell_s", "own.degraded_s", "service.start_ratio"] as const;
const usage_figures = ["service.files_ratio", "service.deleted_mib", "service.tasks_ratio", "service.memory_ratio"] as const;

export function sensorsOf(
  ports: Pick<SensorPorts, "status" | "services" | "ask" | "boot_ms" | "measured" | "pace">,
): readonly TimedSensor[] {
  const { status, services, ask, boot_ms, measured, pace } = ports;
  const sampler = new MetricsSampler();
  const all_services = new ServicesSensor(pace);
  const network = new NetworkPatrol(async () => (await status()).mode);
  const processes = new ProcessPatrol();
  const advisories = new AdvisoryPatrol();
  const log_templates = new LogPatrol(pace);
  const at_once = (name: string, every_ms: number, figures: readonly string[], look: Sensor["look"]): TimedSensor => ({
    ...{ name, every_ms, figures, look },
    first_after_ms: 0,
  });
  const patrol = (
    name: string,
    every_ms: number,
    figures: readonly string[],
    look: (ask: AskTool, now_ms: number) => Promise<readonly Figure[] | null>,
  ): TimedSensor => ({ ...{ name, every_ms, figures }, look: (now_ms) => look(ask, now_ms), first_after_ms: patrol_after_ms });
  /** Without PID 1 the figures are those of the kernel. */
  const machine = async (now_ms: number): Promise<Figure[]> => {
    const data = await status().then(
      (answer) => answer.data,
      () => null,
    );
    const values = sampler.sample(now_ms, data);
    measured({ boot_ms: boot_ms(), values });
    return machineFigures(values);
  };
  const all = [
    at_once("machine", 10 * second_ms, machine_figures, machine),
    at_once("limits", 10 * second_ms, ["files.used_ratio", "tasks.used_ratio"], () => readLimits()),
    at_once("heat", 10 * second_ms, ["heat.of_limit_ratio"], () => readHeat()),
    at_once("file system", 10 * second_ms, ["data.file_system_errors"], () => readFileSystemErrors()),
    at_once("system", 10 * second_ms, ["data.temporary", "clock.unsynchronised"], async () => systemFigures(await status())),
    at_once("services", 5 * second_ms, [...service_figures, ...own_figures], async () => {
      const told = await services();
      return [...all_services.look(told, boot_ms()), ...ownFigures(told)];
    }),
    patrol("network", 30 * second_ms, ["net.no_link", "net.no_address", "net.route_lost", "dns.silent"], (asks) => network.look(asks)),
    patrol("processes", minute_ms, ["process.cpu_ratio"], (asks, now_ms) => processes.look(asks, now_ms)),
    patrol("ports", minute_ms, ["port.undeclared_listener", "port.wrong_listener", "port.declared_but_closed"], async (asks) =>
      withoutStopped(await portFigures(asks), await services()),
    ),
    patrol("usage", minute_ms, usage_figures, usageFigures),
    patrol("drift", minute_ms, ["drift.network", "drift.setting"], driftFigures),
    patrol("logins", minute_ms / 2, ["login.failed"], (asks) => loginFigures(asks, pace)),
    patrol("log templates", minute_ms, ["log.novel_lines", "log.times_usual"], (asks) => log_templates.look(asks)),
    patrol("drives", quarter_ms, ["drive.failing", "drive.worn_ratio"], driveFigures),
    patrol("setuid", quarter_ms, ["file.setuid"], setuidFigures),
    patrol("packages", 5 * minute_ms, ["userland.broken", "service.outdated", "service.left_behind"], packageFigures),
    { ...patrol("advisories", quarter_ms, ["package.vulnerable"], (asks) => advisories.look(asks)), says: () => advisories.says },
    patrol("certificates", quarter_ms, ["certificate.left_d"], certificateFigures),
  ];
  return all.map((one) => ({
    ...one,
    every_ms: Math.max(one.every_ms / pace, every_ms_min),
    first_after_ms: one.first_after_ms / pace,
  }));
}

function machineFigures(values: Readonly<Record<string, number>>): Figure[] {
  return machine_figures.flatMap((figure) => {
    const value = values[figure];
    const subject = figure.startsWith("data.") ? "data" : "system";
    return value === undefined ? [] : [{ figure, subject, value, detail: words(figure, value) }];
  });
}

function words(figure: string, value: number): string {
  return figure.endsWith("_ratio") ? `${(value * 100).toFixed(1)} % are used` : `${value} % of the last 10 s`;
}
