/** The broker's process in the image. */

import { existsSync } from "node:fs";
import { cgroup_root } from "../sys/cgroup.ts";
import { linuxSystem } from "../sys/linux.ts";
import { data_dir, run_dir } from "../contracts/paths.ts";
import { createLog } from "../wire/log.ts";
import { type RunningService, startService } from "../wire/service.ts";
import { openBroker } from "./broker.ts";
import { allTools } from "./catalog/index.ts";
import { image_programs } from "./exec/argv.ts";
import { permissionPart } from "./policy/permission.ts";
import { serveBroker } from "./serve.ts";

export async function main(): Promise<void> {
  await runBroker({ run: run_dir, data: data_dir, mode: process.env["AIOS_MODE"] === "container" ? "container" : "machine" });
}
