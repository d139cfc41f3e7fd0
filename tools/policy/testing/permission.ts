/** Grants, agents and the real policies on a database in a folder of the test's. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { Scope } from "../../../contracts/permission.ts";
import type { Principal, Role } from "../../../contracts/tool.ts";
import { openFile } from "../../../wire/database.ts";
import { stateKind } from "../../state/open.ts";
import type { NewGrant } from "../grants.ts";
import { openPermission, type Permission } from "../permission.ts";
import { permission_schema } from "../permission-schema.ts";

export interface PermissionRig {
  readonly permission: Permission;
  readonly db: Sqlite.Database;
  /** Milliseconds; what the stores take for now. */
  now_ms: number;
  /** Milliseconds, monotonic. */
  steady_ms: number;
  /** The same on the same file, after what a power cut leaves. */
  again(): Promise<PermissionRig>;
  close(): void;
}

export async function permissionRig(folder = mkdtempSync(join(tmpdir(), "aios-permission-"))): Promise<PermissionRig> {
  const db = openFile(join(folder, "broker.db"), stateKind(permission_schema));
  const rig = { now_ms: 1000, steady_ms: 0 };
  const permission = await openPermission(db, { now_ms: () => rig.now_ms, steady_ms: () => rig.steady_ms });
  return Object.assign(rig, {
    permission,
    db,
    again: () => permissionRig(folder),
    close: () => {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

let calls = 0;

/** A grant by an operator for an hour, of files below /data; `change` says what is different. */
export function newGrant(principal: Principal, change: Partial<Omit<NewGrant, "scope">> & { readonly scope?: object } = {}): NewGrant {
  calls += 1;
  const usual = { tools: ["fs.write"], resources: [{ kind: "path", id: "/data" }] };
  return {
    call: `0000aaaa-call-${calls}`,
    reason: "for a test",
    granted_by: "person:anna",
    granter_role: "operator" satisfies Role,
    expires_ms: 3_600_000,
    ...change,
    principal,
    scope: Scope.parse({ ...usual, ...change.scope }),
  };
}
