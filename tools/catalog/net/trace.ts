import { z } from "zod";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { Host } from "./shared/fields.ts";
import { type Remote, resolveRemote } from "./shared/remote.ts";

const Input = z.lazy(() =>
  z.strictObject({
    host: Host.describe("name or address"),
    hops_max: z.number().int().min(1).max(64).default(30).describe("give up after so many routers"),
    timeout_ms: z.number().int().min(100).max(5000).default(1000).describe("milliseconds to wait for each answer"),
  }),
);
const Hop = z.lazy(() => z.strictObject({ hop: z.number().int(), address: z.string().nullable(), took_ms: z.number().nullable() }));

interface TraceTarget extends Target {
  readonly remote: Remote;
}

export const trace = defineTool<z.infer<typeof Input>, { address: string; reached: boolean; hops: z.infer<typeof Hop>[] }, TraceTarget>({
  name: "net.trace",
  title: "Trace a route",
  description:
    "The routers on the way to a host, by UDP packets whose lifetime ends at each of them. A hop with a null address did not answer, which many do on purpose. Use it when net.ping loses packets, to see where.",
  input: Input,
  output: z.lazy(() => z.strictObject({ address: z.string(), reached: z.boolean(), hops: z.array(Hop) })),
  risk: "observe",
  timeout_ms: 120_000,
  idempotent: true,
  tainted: false,
  open_world: true,
  image: null,
  async resolve({ host }) {
    const remote = await resolveRemote(host, null, "read", `tracing the route to "${host}"`);
    return { remote, resources: [remote.resource] };
  },
  async run({ remote }, { hops_max, timeout_ms }, { exec }) {
    const { stdout } = await exec.ok({
      argv: ["/usr/bin/traceroute.db", "-n", "-q", "1", "-w", String(timeout_ms / 1000), "-m", String(hops_max), remote.address],
      sandbox: { network: true },
      limits: { timeout_ms: 110_000 },
    });
    // traceroute(8): ` 3  192.0.2.1  1.234 ms !H` or ` 3  *`
    const hops = [...new TextDecoder().decode(stdout).matchAll(/^ *(\d+) +(?:(\*)|([0-9a-f.:]+) +([0-9.]+) ms)/gm)].map(
      ([, hop, none, address, took]) => ({
        hop: Number(hop),
        address: none === undefined ? (address ?? null) : null,
        took_ms: took === undefined ? null : Number(took),
      }),
    );
    if (hops.length === 0)
      throw new ToolError(`tracing the route to "${remote.host}" failed: no hop was told; see net.interfaces for a default route`);
    return { address: remote.address, reached: hops.at(-1)?.address === remote.address, hops };
  },
});
