import { z } from "zod";
import { GrantId } from "../../../contracts/permission.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { accountOf, GrantOutput, grantOutput, type PermissionPorts, scopeLines } from "./shared/scope.ts";

const Input = z.lazy(() => z.strictObject({ grant: GrantId.describe("The grant's id, as sec.grant or sec.request gave it: grant-17") }));
type Input = z.infer<typeof Input>;
const Image = z.lazy(() => z.strictObject({ grant: GrantId }));

export function revokeTool(permission: PermissionPorts) {
  /** @throws {ToolError} */
  const inForce = (id: string) => {
    const grant = permission.stores.grants.get(id);
    if (grant === null) throw new ToolError(`revoking "${id}" failed: there is no such grant`);
    if (grant.state !== "active") throw new ToolError(`revoking "${id}" failed: it is ${grant.state} already`);
    return grant;
  };
  return defineTool<Input, z.infer<typeof GrantOutput>, Target, z.infer<typeof Image>>({
    name: "sec.revoke",
    title: "Take a permission away",
    description:
      "Ends a grant at once, before its time. Calls that are already running go on. Undo gives it back for what is left of its time. An agent with all its grants is ended with sec.release.",
    input: Input,
    output: GrantOutput,
    risk: "reversible",
    timeout_ms: 10_000,
    idempotent: false,
    tainted: false,
    image: Image,
    resolve({ grant: id }, { clock }) {
      const { principal, scope } = inForce(id);
      return { resources: [accountOf(permission, principal, scope.risk, clock.now_ms(), `revoking "${id}"`)] };
    },
    preview: (_, { grant: id }) => {
      const { principal, scope } = inForce(id);
      return { changes: [`${principal} no longer:`, ...scopeLines(scope)], final: [] };
    },
    snapshot: (_target, { grant }) => ({ grant: inForce(grant).id }),
    run(_target, { grant: id }, { clock }) {
      const { grants } = permission.stores;
      grants.revoke(id, clock.now_ms());
      return grantOutput(grants.get(id) ?? inForce(id));
    },
    verify(_target, { grant: id }) {
      const state = permission.stores.grants.get(id)?.state;
      if (state === "active") throw new ToolError(`verifying that "${id}" is revoked failed: it is in force`);
    },
    settled: ({ grant }) => permission.stores.grants.get(grant)?.state === "revoked",
    undo: ({ grant }) => permission.stores.grants.restore(grant),
    verifyUndone({ grant: id }) {
      if (permission.stores.grants.get(id)?.state === "revoked") throw new ToolError(`giving "${id}" back failed: it is still revoked`);
    },
  });
}
