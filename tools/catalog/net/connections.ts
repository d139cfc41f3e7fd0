import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool } from "../../tool.ts";
import { Port } from "./shared/fields.ts";
import { readSockets, socketOwners } from "./shared/sockets.ts";

const listed_max = 500;

export const connections = defineTool({
  name: "net.connections",
  title: "Connections and listeners",
  description:
    "TCP and UDP sockets of the system with state, both ends and the process that holds them; with `listening` only those that wait for others, which tells who can be reached. To see whether a remote port answers use net.connect.",
  input: z.lazy(() =>
    z.strictObject({
      listening: z.boolean().default(false).describe("only sockets that wait for connections or packets"),
      protocol: z.enum(["tcp", "udp"]).nullable().default(null).describe("only this protocol; null: both"),
      port: Port.nullable().default(null).describe("only with this local or remote port; null: any"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      sockets: z.array(
        z.strictObject({
          protocol: z.enum(["tcp", "udp"]),
          state: z.string(),
          local: z.string(),
          local_port: z.number().int(),
          remote: z.string(),
          remote_port: z.number().int(),
          pid: z.number().int().nullable(),
          process: z.string().nullable(),
        }),
      ),
      left_out: z.number().int(),
    }),
  ),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: true, // processes choose their own names
  image: null,
  resolve: () => ({ resources: [{ kind: "system", id: "sockets", access: "read", attributes: {} }] satisfies Resource[] }),
  run: (_, { listening, protocol, port }) => {
    const owners = socketOwners();
    const found = readSockets()
      .filter((one) => !listening || one.state === "listen")
      .filter((one) => protocol === null || one.protocol === protocol)
      .filter((one) => port === null || one.local_port === port || one.remote_port === port)
      .map(({ inode, ...one }) => ({ ...one, pid: owners.get(inode)?.pid ?? null, process: owners.get(inode)?.name ?? null }));
    return { sockets: found.slice(0, listed_max), left_out: Math.max(0, found.length - listed_max) };
  },
});
