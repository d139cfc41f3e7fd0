import { z } from "zod";
import { Principal } from "../../../contracts/tool.ts";
import { defineTool, type Target } from "../../tool.ts";
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

const Input = z.lazy(() =>
  z.strictObject({ principal: Principal.describe("Who gets it: tier:tactical, agent:web-setup, person:anna"), ...scope_input }),
);
type Input = z.infer<typeof Input>;

export function grantTool(permission: PermissionPorts) {
  return defineTool<Input, z.infer<typeof GrantOutput>, Target, z.infer<typeof NoGrant>>({
    name: "sec.grant",
    title: "Give a permission",
    description:
      "Gives somebody a permission: these tools, on these resources, up to a risk, for a time. People give to anybody what they may do or approve themselves; a tier gives only to agents that it made (sec.lease), and only of its own. A tier that needs a permission asks with sec.request. What a policy forbids stays forbidden. Taken back with sec.revoke.",
    input: Input,
    output: GrantOutput,
    risk: "reversible",
    timeout_ms: 10_000,
    idempotent: false,
    tainted: false,
    image: NoGrant,
    resolve(input, { clock }) {
      const about = `granting a permission to "${input.principal}"`;
      scopeOf(input, about);
      return { resources: [accountOf(permission, input.principal, input.risk, clock.now_ms(), about)] };
    },
    preview: (_, input) => ({
      changes: [`${input.principal}`, ...scopeLines(scopeOf(input, "granting")), `for ${input.expires_in_s} s`],
      final: [],
    }),
    snapshot: (_target, _input, { call }) => ({ call }),
    run(_target, input, context) {
      const about = `granting a permission to "${input.principal}"`;
      const now_ms = context.clock.now_ms();
      const granter = { principal: context.principal, role: context.role };
      const scope = scopeOf(input, about);
      demandGranter(permission, granter, scope, now_ms, about);
      const made = {
        ...{ call: context.call, principal: input.principal, scope, reason: input.reason },
        ...{ granted_by: granter.principal, granter_role: granter.role },
        expires_ms: endOf(permission, input.principal, input.expires_in_s, now_ms),
      };
      return grantOutput(permission.stores.grants.create(made, now_ms));
    },
    verify: (_target, _input, { grant }) => verifyGrant(permission, grant),
    settled: (_image, { call }) => permission.stores.grants.byCall(call)?.state === "active",
    undo: (_image, { call }, context) => undoGrant(permission, call, context),
    verifyUndone: (_image, { call }) => verifyGrantUndone(permission, call),
  });
}
