import { z } from "zod";
import { GrantId } from "../../../contracts/permission.ts";
import { AgentName } from "../../../contracts/tool.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import type { PermissionPorts } from "./shared/scope.ts";

const Input = z.lazy(() => z.strictObject({ name: AgentName.describe("The agent's name") }));
type Input = z.infer<typeof Input>;
const Output = z.lazy(() =>
  z.strictObject({ agent: z.string(), revoked: z.array(z.string()).describe("Its grants, which have ended with it") }),
);
const Image = z.lazy(() => z.strictObject({ name: z.string(), call: z.string(), grants: z.array(GrantId) }));

export function releaseTool(permission: PermissionPorts) {
  /** @throws {ToolError} */
  const alive = (name: string, now_ms: number) => {
    const agent = permission.stores.agents.get(name, now_ms);
    if (agent === null) throw new ToolError(`ending the agent "${name}" failed: there is none whose lease lasts`);
    return agent;
  };
  return defineTool<Input, z.infer<typeof Output>, Target, z.infer<typeof Image>>({
    name: "sec.release",
    title: "End an agent",
    description:
      "Ends an agent that sec.lease made, and all its grants with it. Do it when the task is done, and do not wait for the lease to end. What the agent has set up (services, files) stays. Undo brings it back for what is left of its lease.",
    input: Input,
    output: Output,
    risk: "reversible",
    timeout_ms: 10_000,
    idempotent: false,
    tainted: false,
    image: Image,
    resolve({ name }, { clock }) {
      const { owner } = alive(name, clock.now_ms());
      return { resources: [{ kind: "principal", id: `agent:${name}`, access: "delete", attributes: { owner } }] };
    },
    preview: (_, { name }) => ({
      changes: [`agent:${name} ends`, ...permission.stores.grants.of(`agent:${name}`).map(({ grant }) => `${grant.id} ends`)],
      final: [],
    }),
    snapshot(_target, { name }, { clock }) {
      const { call } = alive(name, clock.now_ms());
      return { name, call, grants: permission.stores.grants.of(`agent:${name}`).map(({ grant }) => grant.id) };
    },
    run: (_target, { name }, { clock }) => ({ agent: `agent:${name}`, revoked: permission.stores.agents.release(name, clock.now_ms()) }),
    verify(_target, { name }, _output, { clock }) {
      if (permission.stores.agents.get(name, clock.now_ms()) !== null)
        throw new ToolError(`verifying that "${name}" has ended failed: it has not`);
    },
    settled: ({ name, call }, _past, { clock }) => permission.stores.agents.get(name, clock.now_ms())?.call !== call,
    undo: ({ name, call, grants }) => permission.stores.agents.restore(name, call, grants),
    verifyUndone({ name, call }, _past, { clock }) {
      const { agents } = permission.stores;
      if (agents.get(name, clock.now_ms())?.call !== call && !agents.isOver(call, clock.now_ms()))
        throw new ToolError(`bringing the agent "${name}" back failed: it is not there`);
    },
  });
}
