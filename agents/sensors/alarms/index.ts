/** The alarms in the image. The bundler parses the files: nothing is read or parsed as YAML at run time. */

import budget_nearly_used from "./list/budget-nearly-used.yaml";
import certificate_ends from "./list/certificate-ends.yaml";
import clock_not_synchronised from "./list/clock-not-synchronised.yaml";
import data_not_kept from "./list/data-not-kept.yaml";
import declared_port_closed from "./list/declared-port-closed.yaml";
import deleted_file_open from "./list/deleted-file-open.yaml";
import disk_errors from "./list/disk-errors.yaml";
import disk_full from "./list/disk-full.yaml";
import disk_inodes from "./list/disk-inodes.yaml";
import disk_slow from "./list/disk-slow.yaml";
import dns_silent from "./list/dns-silent.yaml";
import drive_failing from "./list/drive-failing.yaml";
import drive_worn from "./list/drive-worn.yaml";
import failed_logins from "./list/failed-logins.yaml";
import link_down from "./list/link-down.yaml";
import log_burst from "./list/log-burst.yaml";
import log_novel from "./list/log-novel.yaml";
import memory_short from "./list/memory-short.yaml";
import memory_stalled from "./list/memory-stalled.yaml";
import model_late from "./list/model-late.yaml";
import model_not_as_chosen from "./list/model-not-as-chosen.yaml";
import model_wrong from "./list/model-wrong.yaml";
import network_drift from "./list/network-drift.yaml";
import no_address from "./list/no-address.yaml";
import own_degraded from "./list/own-degraded.yaml";
import package_vulnerable from "./list/package-vulnerable.yaml";
import processor_busy from "./list/processor-busy.yaml";
import provider_failing from "./list/provider-failing.yaml";
import route_lost from "./list/route-lost.yaml";
import runaway_process from "./list/runaway-process.yaml";
import service_crash_loop from "./list/service-crash-loop.yaml";
import service_down from "./list/service-down.yaml";
import service_files from "./list/service-files.yaml";
import service_left_behind from "./list/service-left-behind.yaml";
import service_memory from "./list/service-memory.yaml";
import service_outdated from "./list/service-outdated.yaml";
import service_slow_start from "./list/service-slow-start.yaml";
import service_tasks from "./list/service-tasks.yaml";
import service_unwell from "./list/service-unwell.yaml";
import setting_drift from "./list/setting-drift.yaml";
import setuid_file from "./list/setuid-file.yaml";
import too_hot from "./list/too-hot.yaml";
import too_many_files from "./list/too-many-files.yaml";
import too_many_tasks from "./list/too-many-tasks.yaml";
import undeclared_listener from "./list/undeclared-listener.yaml";
import userland_broken from "./list/userland-broken.yaml";
import wrong_listener from "./list/wrong-listener.yaml";

export const bundled_alarms: Readonly<Record<string, unknown>> = {
  "budget-nearly-used.yaml": budget_nearly_used,
  "certificate-ends.yaml": certificate_ends,
  "clock-not-synchronised.yaml": clock_not_synchronised,
  "data-not-kept.yaml": data_not_kept,
  "declared-port-closed.yaml": declared_port_closed,
  "deleted-file-open.yaml": deleted_file_open,
  "disk-errors.yaml": disk_errors,
  "disk-full.yaml": disk_full,
  "disk-inodes.yaml": disk_inodes,
  "disk-slow.yaml": disk_slow,
  "dns-silent.yaml": dns_silent,
  "drive-failing.yaml": drive_failing,
  "drive-worn.yaml": drive_worn,
  "failed-logins.yaml": failed_logins,
  "link-down.yaml": link_down,
  "log-burst.yaml": log_burst,
  "log-novel.yaml": log_novel,
  "memory-short.yaml": memory_short,
  "memory-stalled.yaml": memory_stalled,
  "model-late.yaml": model_late,
  "model-not-as-chosen.yaml": model_not_as_chosen,
  "model-wrong.yaml": model_wrong,
  "network-drift.yaml": network_drift,
  "no-address.yaml": no_address,
  "own-degraded.yaml": own_degraded,
  "package-vulnerable.yaml": package_vulnerable,
  "processor-busy.yaml": processor_busy,
  "provider-failing.yaml": provider_failing,
  "route-lost.yaml": route_lost,
  "runaway-process.yaml": runaway_process,
  "service-crash-loop.yaml": service_crash_loop,
  "service-down.yaml": service_down,
  "service-files.yaml": service_files,
  "service-left-behind.yaml": service_left_behind,
  "service-memory.yaml": service_memory,
  "service-outdated.yaml": service_outdated,
  "service-slow-start.yaml": service_slow_start,
  "service-tasks.yaml": service_tasks,
  "service-unwell.yaml": service_unwell,
  "setting-drift.yaml": setting_drift,
  "setuid-file.yaml": setuid_file,
  "too-hot.yaml": too_hot,
  "too-many-files.yaml": too_many_files,
  "too-many-tasks.yaml": too_many_tasks,
  "undeclared-listener.yaml": undeclared_listener,
  "userland-broken.yaml": userland_broken,
  "wrong-listener.yaml": wrong_listener,
};
