import { z } from "zod";
import { ServiceName } from "../../../contracts/service.ts";
import type { Resource } from "../../../contracts/tool.ts";
import type { Context } from "../../context.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { Cidr, Port } from "./shared/fields.ts";
import {
  Declared,
  declaredPorts,
  declaredWall,
  kernelWall,
  OpenPort,
  port_prefix,
  put,
  wallDifference,
  wallNotBack,
} from "./shared/wall.ts";

const Image = z.lazy(() =>
  z.strictObject({ before: OpenPort.nullable(), wall: Declared.nullable(), kernel: z.array(z.unknown()).nullable() }),
);

const key = (protocol: string, port: number): string => `${port_prefix}${protocol}:${port}`;

function declared({ state }: Context, protocol: string, port: number): OpenPort | null {
  return OpenPort.nullable().parse(state.get(key(protocol, port)) ?? null);
}

/** Puts the firewall in place, where there is one: without one every port is open anyway. */
async function apply(context: Context): Promise<void> {
  const wall = declaredWall(context.state);
  if (wall !== null) await put(context, wall, declaredPorts(context.state));
}

export const listen = defineTool({
  name: "net.listen",
  title: "Open a port",
  description:
    "Declares that a service listens on a port and opens it in the firewall, for everybody or for some networks; with `remove` closes it again. It holds at once and after every reboot. It starts nothing: the service is defined with service.define.",
  input: z.lazy(() =>
    z.strictObject({
      protocol: z.enum(["tcp", "udp"]).default("tcp"),
      port: Port.describe("the local port"),
      owner: ServiceName.describe("the service that listens there"),
      sources: z.array(Cidr).max(32).default([]).describe("only from these networks; none: from everywhere"),
      remove: z.boolean().default(false).describe("closes the port instead"),
    }),
  ),
  output: z.lazy(() => z.strictObject({ ports: z.array(OpenPort) })),
  risk: "reversible",
  timeout_ms: 40_000,
  idempotent: true,
  tainted: false,
  image: Image,
  resolve: ({ protocol, port, owner, remove }, context) => {
    const before = declared(context, protocol, port);
    const about = `${remove ? "closing" : "opening"} ${protocol} port ${port} failed`;
    if (before !== null && before.owner !== owner)
      throw new ToolError(`${about}: it belongs to the service "${before.owner}"; close it for that one first`);
    if (before === null && remove) throw new ToolError(`${about}: it is not open; net.firewall lists those that are`);
    return {
      resources: [
        {
          kind: "port",
          id: `${protocol}:${port}`,
          access: remove ? "delete" : "write",
          attributes: { port, protocol, owner, privileged: port < 1024 },
        },
      ] satisfies Resource[],
    };
  },
  preview: async (_, { protocol, port, owner, sources, remove }, context) => {
    const before = declared(context, protocol, port);
    const is_so = !remove && Bun.deepEquals(before, { protocol, port, owner, sources }) && (await wallDifference(context)) === null;
    const opened = sources.length === 0 ? "for everybody" : `for ${sources.join(", ")}`;
    return { changes: is_so ? [] : [`${protocol} port ${port} of "${owner}" is ${remove ? "closed" : `opened ${opened}`}`], final: [] };
  },
  snapshot: async (_, { protocol, port }, context) => ({
    before: declared(context, protocol, port),
    wall: declaredWall(context.state),
    kernel: await kernelWall(context),
  }),
  run: async (_, { protocol, port, owner, sources, remove }, context) => {
    if (remove) context.state.delete(key(protocol, port));
    else context.state.put(key(protocol, port), { protocol, port, owner, sources } satisfies OpenPort);
    await apply(context);
    return { ports: declaredPorts(context.state) };
  },
  verify: async (_, { protocol, port, remove }, __, context) => {
    const wrong = await wallDifference(context);
    if (wrong !== null) throw new ToolError(`${remove ? "closing" : "opening"} ${protocol} port ${port} failed: ${wrong}`);
  },
  undo: async ({ before }, past, context) => {
    const { protocol, port } = z.looseObject({ protocol: z.enum(["tcp", "udp"]).default("tcp"), port: Port }).parse(past.input);
    if (before === null) context.state.delete(key(protocol, port));
    else context.state.put(key(protocol, port), before);
    await apply(context);
  },
  verifyUndone: async ({ kernel }, _, context) => {
    const wrong = await wallNotBack(context, kernel);
    if (wrong !== null) throw new ToolError(`restoring the firewall failed: ${wrong}`);
  },
});
