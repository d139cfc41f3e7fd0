/** The cases of all families, by which the properties of all tools are proved. */

import type { ToolCase } from "../testing/case.ts";
import { fs_cases } from "./fs/cases.ts";
import { goal_cases } from "./goal/cases.ts";
import { knowledge_cases } from "./knowledge/cases.ts";
import { memory_cases } from "./memory/cases.ts";
import { model_cases } from "./model/cases.ts";
import { net_cases } from "./net/cases.ts";
import { pkg_cases } from "./pkg/cases.ts";
import { process_cases } from "./process/cases.ts";
import { audit_cases } from "./sec/audit.cases.ts";
import { ban_cases } from "./sec/ban.cases.ts";
import { certificate_cases } from "./sec/certificates.cases.ts";
import { integrity_cases } from "./sec/integrity.cases.ts";
import { permission_cases } from "./sec/permission.cases.ts";
import { scan_cases } from "./sec/scan.cases.ts";
import { secret_cases } from "./sec/secrets.cases.ts";
import { service_cases } from "./service/cases.ts";
import { sys_cases } from "./sys/cases.ts";
import { task_cases } from "./task/cases.ts";

export const cases: readonly ToolCase[] = [
  ...[
    audit_cases,
    ban_cases,
    certificate_cases,
    fs_cases,
    integrity_cases,
    knowledge_cases,
    goal_cases,
    memory_cases,
    model_cases,
    net_cases,
    permission_cases,
  ],
  ...[pkg_cases, process_cases, scan_cases, secret_cases, service_cases, sys_cases, task_cases],
].flat();
