/** What the memory service answers on `/run/aios/memory/<caller>/sock`. Each part of memory has its own file in `memory/`. */

import { Decision } from "./decision.ts";
import { Event } from "./event.ts";
import { classifier_methods, classifier_permissions } from "./memory/classifier.ts";
import { history_methods, history_permissions } from "./memory/history.ts";
import { knowledge_methods, knowledge_permissions } from "./memory/knowledge.ts";
import { learning_methods, learning_permissions } from "./memory/learning.ts";
import { longterm_methods, longterm_permissions } from "./memory/longterm.ts";
import { operational_methods, operational_permissions } from "./memory/operational.ts";
import { retention_methods, retention_permissions } from "./memory/retention.ts";
import { templates_methods, templates_permissions } from "./memory/templates.ts";
import { upkeep_methods, upkeep_permissions } from "./memory/upkeep.ts";
import { working_methods, working_permissions } from "./memory/working.ts";
import type { CoreService } from "./service.ts";

export const memory_methods = {
  ...history_methods,
  ...longterm_methods,
  ...operational_methods,
  ...working_methods,
  ...templates_methods,
  ...knowledge_methods,
  ...learning_methods,
  ...classifier_methods,
  ...upkeep_methods,
  ...retention_methods,
} as const;

export const memory_notifications = { event: Event, decision: Decision } as const;

type Permissions = Readonly<Partial<Record<CoreService, readonly (keyof typeof memory_methods)[]>>>;

const parts: readonly Permissions[] = [
  history_permissions,
  longterm_permissions,
  operational_permissions,
  working_permissions,
  templates_permissions,
  knowledge_permissions,
  learning_permissions,
  classifier_permissions,
  upkeep_permissions,
  retention_permissions,
];

/** Who may call what; a service that is not named has no socket. */
export function memoryPermissions(caller: CoreService): readonly (keyof typeof memory_methods)[] {
  return parts.flatMap((part) => part[caller] ?? []);
}
