/** Watching over the system: bans, integrity, scans, the audit; permission, and what is secret. */

import type { Loaders } from "../../load.ts";
import type { Restorer } from "../../restore.ts";
import { applyBans } from "./shared/bans.ts";

const watching: Loaders = {
  "sec.audit": async ({ audit }) => (await import("./audit.ts")).auditTool(audit),
  "sec.ban": async () => (await import("./ban.ts")).ban,
  "sec.integrity_baseline": async (parts) => (await import("./integrity_baseline.ts")).baselineTool(configuration(parts)),
  "sec.integrity_compare": async (parts) =>
    (await import("./integrity_compare.ts")).compareTool({ ...configuration(parts), audit: parts.audit }),
  "sec.scan": async (parts) => (await import("./scan.ts")).scanTool(parts),
  "sec.unban": async () => (await import("./unban.ts")).unban,
};

/** By which permission comes and goes. */
const permission_tools: Loaders = {
  "sec.grant": async ({ permission }) => (await import("./grant.ts")).grantTool(permission),
  "sec.revoke": async ({ permission }) => (await import("./revoke.ts")).revokeTool(permission),
  "sec.request": async ({ permission }) => (await import("./request.ts")).requestTool(permission),
  "sec.lease": async ({ permission }) => (await import("./lease.ts")).leaseTool(permission),
  "sec.release": async ({ permission }) => (await import("./release.ts")).releaseTool(permission),
};

/** What is secret: kept, handed to those that use it, renewed, deleted; never given back. */
const secret_tools: Loaders = {
  "sec.secret_delete": async () => (await import("./secret_delete.ts")).secretDelete,
  "sec.secret_list": async () => (await import("./secret_list.ts")).secretList,
  "sec.secret_put": async () => (await import("./secret_put.ts")).secretPut,
  "sec.secret_rotate": async () => (await import("./secret_rotate.ts")).secretRotate,
  "sec.secret_use": async () => (await import("./secret_use.ts")).secretUse,
};

/** Certificates whose private keys stay in the vault. */
const certificate_tools: Loaders = {
  "sec.certificate_create": async () => (await import("./certificate_create.ts")).certificateCreate,
  "sec.certificate_inspect": async () => (await import("./certificate_inspect.ts")).certificateInspect,
  "sec.certificate_renew": async () => (await import("./certificate_renew.ts")).certificateRenew,
  "sec.certificate_rotate": async () => (await import("./certificate_rotate.ts")).certificateRotate,
};

export const sec: Loaders = { ...watching, ...permission_tools, ...secret_tools, ...certificate_tools };

function configuration({ declared, permission }: Parameters<Loaders[string]>[0]) {
  return { declared, policies: () => permission.policies() };
}

export const sec_restorer: Restorer = { name: "bans", family: "sec", restore: applyBans };
