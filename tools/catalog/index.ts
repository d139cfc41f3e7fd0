/** Every tool that there is, by family. A tool that is not in here does not exist. */

import type { Audit } from "../audit/audit.ts";
import type { State } from "../context.ts";
import type { Permission } from "../policy/permission.ts";
import type { Restorer } from "../restore.ts";
import type { AnyTool } from "../tool.ts";
import { fs } from "./fs/index.ts";
import { goal_tools } from "./goal/index.ts";
import { knowledge_tools } from "./knowledge/index.ts";
import { memory_tools } from "./memory/index.ts";
import { model_restorer, model_tools } from "./model/index.ts";
import { net, net_restorer } from "./net/index.ts";
import { pkg, pkg_restorer } from "./pkg/index.ts";
import { process_tools } from "./process/index.ts";
import { auditTool } from "./sec/audit.ts";
import { certificate_tools } from "./sec/certificates.ts";
import { sec_restorer, secTools } from "./sec/index.ts";
import { permissionTools } from "./sec/permission.ts";
import { secret_tools } from "./sec/secrets.ts";
import { service_restorer, service_tools } from "./service/index.ts";
import { sys, sys_restorer } from "./sys/index.ts";
import { taskTools } from "./task/index.ts";

/** What some families need besides the context of a call. */
export interface CatalogParts {
  readonly permission: Permission;
  readonly audit: Audit;
  /** What the tools of a family have declared. */
  readonly declared: (family: string) => Pick<State, "list">;
}

export function allTools({ audit, declared, permission }: CatalogParts): readonly AnyTool[] {
  const sec = secTools({ audit, declared, policies: () => permission.policies() });
  const secrets = [certificate_tools, secret_tools].flat();
  const tools = [
    fs,
    goal_tools,
    knowledge_tools,
    memory_tools,
    model_tools,
    net,
    process_tools,
    service_tools,
    sys,
    pkg,
    sec,
    secrets,
    [auditTool(audit)],
    permissionTools(permission),
  ].flat();
  return [...tools, ...taskTools((name) => tools.find((tool) => tool.name === name))];
}

/** In this order: what services need is there before them, and who is banned is so before the network is up. */
export const restorers: readonly Restorer[] = [sec_restorer, net_restorer, sys_restorer, pkg_restorer, model_restorer, service_restorer];
