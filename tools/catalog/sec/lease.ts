import { z } from "zod";
import { AgentName } from "../../../contracts/tool.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import type { PermissionPorts } from "./shared/scope.ts";

const Input = z.lazy(() =>
  z.strictObject({
    name: AgentName.describe("The agent's name: what it is for, web-setup"),
    task: z.string().min(1).max(500).describe("What it is to do, for those who read the audit"),
    expires_in_s: z.number().int().min(60).max(2_592_000).default(3600).describe("Seconds until it ends with all its grants"),
  }),
);
type Input = z.infer<typeof Input>;
const Output = z.lazy(() =>
  z.strictObject({
    agent: z.string().describe("The principal: agent:web-setup"),
    owner: z.string(),
    expires_ms: z.number().describe("When its lease ends, milliseconds since 1970"),
  }),
);
const Image = z.lazy(() => z.strictObject({ name: z.string() }));

export function leaseTool(permission: PermissionPorts) {
  const { stores } = lazily(permission);
  return defineTool<Input, z.infer<typeof Output>, Target, z.infer<typeof Image>>({
    name: "sec.lease",
    title: "Make an agent for a task",
    description:
      "Makes a named agent with a lease. You call in its name by giving `as` with a call; then both you and the agent have to be allowed. A new agent may only look at the state of the system: give it what the task needs, and no more, with sec.grant. Use it to keep a task within narrow bounds. It ends by itself, or with sec.release.",
    input: Input,
    output: Output,
    risk: "reversible",
    timeout_ms: 10_000,
    idempotent: false,
    tainted: false,
    image: Image,
    resolve({ name }, { clock }) {
      const taken = stores().agents.get(name, clock.now_ms());
      const attributes: Record<string, string> = taken === null ? {} : { owner: taken.owner };
      return { resources: [{ kind: "principal", id: `agent:${name}`, access: "write", attributes }] };
    },
    preview: (_, { name, task, expires_in_s }, { principal }) => ({
      changes: [`${principal} may call as agent:${name} for ${expires_in_s} s, to: ${task}`],
      final: [],
    }),
    snapshot: (_target, { name }) => ({ name }),
    run(_target, { name, task, expires_in_s }, { principal, call, clock }) {
      const now_ms = clock.now_ms();
      const expires_ms = Math.floor(now_ms) + expires_in_s * 1000;
      const agent = stores().agents.lease({ call, name, task, owner: principal, expires_ms }, now_ms);
      return { agent: `agent:${name}`, owner: agent.owner, expires_ms: agent.expires_ms };
    },
    verify(_target, { name }, _output, { clock }) {
      if (stores().agents.get(name, clock.now_ms()) === null) throw new ToolError(`verifying the agent "${name}" failed: it is not there`);
    },
    settled: ({ name }, { call }, { clock }) => stores().agents.byCall(call) === name && stores().agents.get(name, clock.now_ms()) !== null,
    undo({ name }, { call }, { clock }) {
      const { agents } = stores();
      if (agents.byCall(call) === name && agents.get(name, clock.now_ms())?.call === call) agents.release(name, clock.now_ms());
    },
    verifyUndone({ name }, { call }, { clock }) {
      if (stores().agents.get(name, clock.now_ms())?.call === call)
        throw new ToolError(`ending the agent "${name}" failed: it is still there`);
    },
  });
}

/** The stores are there only once the broker is. */
function lazily(permission: PermissionPorts): { stores(): PermissionPorts["stores"] } {
  return { stores: () => permission.stores };
}
