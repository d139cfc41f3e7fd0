import { z } from "zod";
import type { Approver } from "../../policy/authorise.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import {
  accountOf,
  demandGranter,
  endOf,
  GrantOutput,
  grantOutput,
  NoGrant,
  type PermissionPorts,
  scope_input,
  scopeLines,
  scopeOf,
  undoGrant,
  verifyGrant,
  verifyGrantUndone,
} from "./shared/scope.ts";

const Input = z.lazy(() => z.strictObject(scope_input));
type Input = z.infer<typeof Input>;
const about = "asking for a permission";

export function requestTool(permission: PermissionPorts) {
  return defineTool<Input, z.infer<typeof GrantOutput>, Target, z.infer<typeof NoGrant>>({
    name: "sec.request",
    title: "Ask for a permission",
    description:
      "Asks a person for a permission of your own: these tools, on these resources, up to a risk, for a time. The call waits until somebody decides; approving it makes the grant. Use it when the same kind of call will be needed again; a single call that needs approval asks by itself. Ask for the least that is enough, and say why: a person reads it. It does not help against what a policy forbids.",
    input: Input,
    output: GrantOutput,
    risk: "reversible",
    timeout_ms: 10_000,
    idempotent: false,
    tainted: false,
    image: NoGrant,
    resolve(input, { principal, clock }) {
      scopeOf(input, about);
      return { resources: [accountOf(permission, principal, input.risk, clock.now_ms(), about)] };
    },
    preview: (_, input, { principal }) => ({
      changes: [principal, ...scopeLines(scopeOf(input, about)), `for ${input.expires_in_s} s, because: ${input.reason}`],
      final: [],
    }),
    snapshot: (_target, _input, { call }) => ({ call }),
    run(_target, input, { principal, role, approved_by, call, clock }) {
      const now_ms = clock.now_ms();
      const granter: Approver = approved_by ?? { principal, role };
      if (!granter.principal.startsWith("person:"))
        throw new ToolError(`${about} failed: no person has approved it; only people give permission`);
      const scope = scopeOf(input, about);
      demandGranter(permission, granter, scope, now_ms, about);
      const made = {
        ...{ call, principal, scope, reason: input.reason, granted_by: granter.principal, granter_role: granter.role },
        expires_ms: endOf(permission, principal, input.expires_in_s, now_ms),
      };
      return grantOutput(permission.stores.grants.create(made, now_ms));
    },
    verify: (_target, _input, { grant }) => verifyGrant(permission, grant),
    settled: (_image, { call }) => permission.stores.grants.byCall(call)?.state === "active",
    undo: (_image, { call }, context) => undoGrant(permission, call, context),
    verifyUndone: (_image, { call }) => verifyGrantUndone(permission, call),
  });
}
