/** Every tool that there is, by family. A tool that is not in here does not exist. */

import type { CatalogParts, Loaders } from "../load.ts";
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
import { sec, sec_restorer } from "./sec/index.ts";
import { service_restorer, service_tools } from "./service/index.ts";
import { sys, sys_restorer } from "./sys/index.ts";
import { task_tools } from "./task/index.ts";

export const catalog: Loaders = {
  ...fs,
  ...goal_tools,
  ...knowledge_tools,
  ...memory_tools,
  ...model_tools,
  ...net,
  ...process_tools,
  ...service_tools,
  ...sys,
  ...pkg,
  ...sec,
  ...task_tools,
};

/** All of them, loaded: for the build and for tests. */
export function allTools(parts: CatalogParts): Promise<readonly AnyTool[]> {
  return Promise.all(Object.values(catalog).map((load) => load(parts)));
}

/** In this order: what services need is there before them, and who is banned is so before the network is up. */
export const restorers: readonly Restorer[] = [sec_restorer, net_restorer, sys_restorer, pkg_restorer, model_restorer, service_restorer];
