import { Resolver } from "node:dns/promises";
import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { Address, HostName } from "./shared/fields.ts";

const types = ["A", "AAAA", "CNAME", "MX", "NS", "TXT", "SRV", "SOA", "CAA", "PTR"] as const;

export const dns = defineTool({
  name: "net.dns",
  title: "DNS look-up",
  description:
    "Asks the DNS for the records of a name, from the system's servers or from those given, with the time it took. A name that does not exist is an answer, not an error. For the name of an address ask PTR of its in-addr.arpa or ip6.arpa name.",
  input: z.lazy(() =>
    z.strictObject({
      name: HostName.describe("the name, without a trailing dot or with one"),
      type: z.enum(types).default("A").describe("the kind of record"),
      servers: z.array(Address).min(1).max(3).optional().describe("ask these instead of the system's"),
      timeout_ms: z.number().int().min(100).max(10_000).default(3000).describe("milliseconds for one server"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      answer: z.enum(["found", "no-such-name", "no-such-record"]),
      records: z.array(z.unknown()).max(100),
      took_ms: z.number(),
    }),
  ),
  risk: "observe",
  timeout_ms: 40_000,
  idempotent: true,
  tainted: true,
  open_world: true,
  image: null,
  resolve: ({ name, servers }) => ({
    resources: [
      { kind: "address", id: `dns:${name}`, access: "read", attributes: { host: name, protocol: "dns" } },
      ...(servers ?? []).map(
        (address): Resource => ({
          kind: "address",
          id: `${address}:53`,
          access: "read",
          attributes: { address, port: 53, protocol: "dns" },
        }),
      ),
    ] satisfies Resource[],
  }),
  run: async (_, { name, type, servers, timeout_ms }, { signal }) => {
    const resolver = new Resolver({ timeout: timeout_ms, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    signal.addEventListener("abort", () => resolver.cancel(), { once: true });
    const begin = performance.now();
    const took = (): number => Math.round((performance.now() - begin) * 1000) / 1000;
    try {
      const records: unknown = await resolver.resolve(name, type);
      const all = Array.isArray(records) ? records : [records];
      return { answer: "found" as const, records: all.slice(0, 100).map(plain), took_ms: took() };
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (code === "ENOTFOUND") return { answer: "no-such-name" as const, records: [], took_ms: took() };
      if (code === "ENODATA") return { answer: "no-such-record" as const, records: [], took_ms: took() };
      const asked = servers?.join(", ") ?? "the system's servers";
      throw new ToolError(
        `asking ${asked} for ${type} of "${name}" failed: ${error instanceof Error ? error.message : String(error)}; see whether they answer with net.ping, or give other servers`,
      );
    }
  },
});

/** TXT records come in pieces. */
function plain(record: unknown): unknown {
  return Array.isArray(record) ? record.join("") : record;
}
