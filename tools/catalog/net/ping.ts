import { z } from "zod";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { Host } from "./shared/fields.ts";
import { type Remote, resolveRemote } from "./shared/remote.ts";

interface PingTarget extends Target {
  readonly remote: Remote;
}

const Input = z.lazy(() =>
  z.strictObject({
    host: Host.describe("name or address"),
    count: z.number().int().min(1).max(50).default(4).describe("how many echo requests"),
    interval_ms: z.number().int().min(100).max(5000).default(500).describe("milliseconds between two"),
    timeout_ms: z.number().int().min(50).max(10_000).default(1000).describe("milliseconds to wait for each answer"),
  }),
);

export const ping = defineTool<
  z.infer<typeof Input>,
  { address: string; sent: number; received: number; loss: number; min_ms: number | null; median_ms: number | null; max_ms: number | null },
  PingTarget
>({
  name: "net.ping",
  title: "Ping",
  description:
    "Sends ICMP echo requests to a host and says how many came back and how long they took. No answer is not proof that it is down: many hosts and firewalls do not answer. To see whether a service answers use net.connect.",
  input: Input,
  output: z.lazy(() =>
    z.strictObject({
      address: z.string(),
      sent: z.number().int(),
      received: z.number().int(),
      loss: z.number().min(0).max(1),
      min_ms: z.number().nullable(),
      median_ms: z.number().nullable(),
      max_ms: z.number().nullable(),
    }),
  ),
  risk: "observe",
  timeout_ms: 300_000,
  idempotent: true,
  tainted: false,
  open_world: true,
  image: null,
  async resolve({ host }) {
    const remote = await resolveRemote(host, null, "read", `pinging "${host}"`);
    return { remote, resources: [remote.resource] };
  },
  async run({ remote }, { count, interval_ms, timeout_ms }, { exec }) {
    const { stderr, status } = await exec.run({
      argv: ["/usr/bin/fping", "-q", "-C", String(count), "-p", String(interval_ms), "-t", String(timeout_ms), remote.address],
      sandbox: { network: true, capabilities: ["cap_net_raw"] },
      limits: { timeout_ms: count * (interval_ms + timeout_ms) + 5000 },
    });
    const said = new TextDecoder().decode(stderr);
    // fping(8): `ADDRESS : 0.05 0.04 - 0.06`, a dash for each that did not come back; 2 and more is an error of its own
    const times = /^\S+ *:((?: +(?:[0-9.]+|-))+)$/m.exec(said)?.[1]?.trim().split(/ +/);
    if (times === undefined || (status !== 0 && status !== 1))
      throw new ToolError(
        `pinging "${remote.host}" (${remote.address}) failed: ${said.trim().slice(0, 300) || `fping ended with status ${status} and said nothing`}`,
      );
    const back = times
      .filter((one) => one !== "-")
      .map(Number)
      .sort((a, b) => a - b);
    return {
      address: remote.address,
      sent: times.length,
      received: back.length,
      loss: 1 - back.length / times.length,
      min_ms: back[0] ?? null,
      median_ms: back[Math.floor(back.length / 2)] ?? null,
      max_ms: back.at(-1) ?? null,
    };
  },
});
