/** How a tool of the catalogue comes into a process: its module is read at its first call. */

import type { Audit } from "./audit/audit.ts";
import type { State } from "./context.ts";
import type { Permission } from "./policy/permission.ts";
import type { AnyTool } from "./tool.ts";

/** What some tools need besides the context of a call. */
export interface CatalogParts {
  readonly permission: Permission;
  readonly audit: Audit;
  /** What the tools of a family have declared. */
  readonly declared: (family: string) => Pick<State, "list">;
  /** The others: what can be scheduled. */
  readonly toolOf: (name: string) => AnyTool | Promise<AnyTool> | undefined;
}

/** By the tool's name. */
export type Loaders = Readonly<Record<string, (parts: CatalogParts) => Promise<AnyTool>>>;
