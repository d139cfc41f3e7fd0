/** The playbooks in the image. The bundler parses the files: nothing is read or parsed as YAML at run time. */

import disk_full from "./list/disk-full.yaml";
import disk_full_at_once from "./list/disk-full-at-once.yaml";
import runaway_process from "./list/runaway-process.yaml";
import service_restart from "./list/service-restart.yaml";

export const bundled_playbooks: Readonly<Record<string, unknown>> = {
  "disk-full-at-once.yaml": disk_full_at_once,
  "disk-full.yaml": disk_full,
  "runaway-process.yaml": runaway_process,
  "service-restart.yaml": service_restart,
};
