/** The playbooks in the image. The bundler parses the files: nothing is read or parsed as YAML at run time. */

import certificate_renew from "./list/certificate-renew.yaml";
import clock_restart from "./list/clock-restart.yaml";
import disk_full from "./list/disk-full.yaml";
import disk_full_at_once from "./list/disk-full-at-once.yaml";
import disk_full_generations from "./list/disk-full-generations.yaml";
import listener_end from "./list/listener-end.yaml";
import listener_restart from "./list/listener-restart.yaml";
import login_ban from "./list/login-ban.yaml";
import network_restore from "./list/network-restore.yaml";
import package_rollback from "./list/package-rollback.yaml";
import package_update from "./list/package-update.yaml";
import process_end from "./list/process-end.yaml";
import runaway_process from "./list/runaway-process.yaml";
import runaway_service from "./list/runaway-service.yaml";
import service_data_restore from "./list/service-data-restore.yaml";
import service_restart from "./list/service-restart.yaml";
import settings_restore from "./list/settings-restore.yaml";
import userland_restore from "./list/userland-restore.yaml";

export const bundled_playbooks: Readonly<Record<string, unknown>> = {
  "certificate-renew.yaml": certificate_renew,
  "clock-restart.yaml": clock_restart,
  "disk-full-at-once.yaml": disk_full_at_once,
  "disk-full-generations.yaml": disk_full_generations,
  "disk-full.yaml": disk_full,
  "listener-end.yaml": listener_end,
  "listener-restart.yaml": listener_restart,
  "login-ban.yaml": login_ban,
  "network-restore.yaml": network_restore,
  "package-rollback.yaml": package_rollback,
  "package-update.yaml": package_update,
  "process-end.yaml": process_end,
  "runaway-process.yaml": runaway_process,
  "runaway-service.yaml": runaway_service,
  "service-data-restore.yaml": service_data_restore,
  "service-restart.yaml": service_restart,
  "settings-restore.yaml": settings_restore,
  "userland-restore.yaml": userland_restore,
};
