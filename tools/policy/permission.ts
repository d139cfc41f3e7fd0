/** The permission of the broker, put together: policies, grants and agents on its database. */

import type Sqlite from "better-sqlite3";
import type { Agent, Grant, PolicyInfo } from "../../contracts/permission.ts";
import { Agents } from "./agents.ts";
import type { Authority } from "./authorise.ts";
import { createAuthority } from "./engine.ts";
import { Grants } from "./grants.ts";
import type { PolicyPlaces } from "./load.ts";
import { permission_schema } from "./permission-schema.ts";

/** Who may do what. */
export interface Permission {
  readonly authority: Authority;
  /** Why nothing is allowed, and what to do; or null. */
  readonly degradation: string | null;
  /** Loads what the first decision needs. Never throws. */
  warm(): void;
  /** For the tools that change them. */
  readonly stores: { readonly grants: Grants; readonly agents: Agents };
  agents(): readonly Agent[];
  grants(all: boolean): readonly Grant[];
  policies(): readonly PolicyInfo[];
  /** These grants have been used for one call. @throws {ToolError} when another call was quicker */
  spend(grants: readonly string[]): void;
}

interface PermissionOptions {
  readonly places?: PolicyPlaces;
  /** Hears of policies that cannot be evaluated. */
  readonly report?: (text: string) => void;
  readonly now_ms?: () => number;
  /** Monotonic. */
  readonly steady_ms?: () => number;
}

export interface PermissionPart {
  /** SQL of its tables. */
  readonly schema: readonly string[];
  open(db: Sqlite.Database): Promise<Permission>;
}

export function permissionPart(options: PermissionOptions = {}): PermissionPart {
  return { schema: permission_schema, open: (db) => openPermission(db, options) };
}

/** @param db with the tables of `permission_schema`, synchronous */
export async function openPermission(db: Sqlite.Database, options: PermissionOptions = {}): Promise<Permission> {
  const now_ms = options.now_ms ?? Date.now;
  const grants = new Grants(db, now_ms(), options.steady_ms);
  const agents = new Agents(db, grants, now_ms());
  const { report, places } = options;
  const asked = await createAuthority({ grants, agents, ...(report && { report }), ...(places && { places }) });
  const authority: Authority = {
    decide(question) {
      try {
        grants.expire(question.context.now_ms);
        agents.expire(question.context.now_ms);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return {
          effect: "deny",
          policies: [],
          uses_grants: [],
          reason: `writing down that a grant or lease has ended failed: ${why}; free space on the data partition`,
        };
      }
      return asked.decide(question);
    },
    mayApprove: (question, approver) => asked.mayApprove(question, approver),
  };
  return {
    authority,
    get degradation() {
      return asked.degradation;
    },
    warm: () => asked.warm(),
    stores: { grants, agents },
    agents: () => agents.list(),
    grants: (all) => {
      grants.expire(now_ms());
      return grants.list(all);
    },
    policies: () => asked.list(),
    spend: (ids) => grants.spend(ids, now_ms()),
  };
}
