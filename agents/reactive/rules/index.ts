/** The rules in the image. The bundler parses the files: nothing is read or parsed as YAML at run time. */

import clock_lost from "./clock-lost.yaml";
import clock_step from "./clock-step.yaml";
import disk_filling from "./disk-filling.yaml";
import disk_inodes from "./disk-inodes.yaml";
import link_down from "./link-down.yaml";
import memory_low from "./memory-low.yaml";
import memory_pressure from "./memory-pressure.yaml";
import oom_kill from "./oom-kill.yaml";
import service_crash_loop from "./service-crash-loop.yaml";
import service_dead from "./service-dead.yaml";
import service_hung from "./service-hung.yaml";
import watchdog_near from "./watchdog-near.yaml";

export const bundled_rules: Readonly<Record<string, unknown>> = {
  "clock-lost.yaml": clock_lost,
  "clock-step.yaml": clock_step,
  "disk-filling.yaml": disk_filling,
  "disk-inodes.yaml": disk_inodes,
  "link-down.yaml": link_down,
  "memory-low.yaml": memory_low,
  "memory-pressure.yaml": memory_pressure,
  "oom-kill.yaml": oom_kill,
  "service-crash-loop.yaml": service_crash_loop,
  "service-dead.yaml": service_dead,
  "service-hung.yaml": service_hung,
  "watchdog-near.yaml": watchdog_near,
};
