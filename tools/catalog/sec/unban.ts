import { z } from "zod";
import { defineTool, ToolError } from "../../tool.ts";
import { Address, Cidr } from "../net/shared/fields.ts";
import { meet, type Network, networkOf } from "../net/shared/network.ts";
import { BanImage, BanList, type BanTarget, banList, banResource, undoBan, verifyBanUndone } from "./ban.ts";
import { applyBans, banOf, bansNow, declareBan, isApplied } from "./shared/bans.ts";

const Input = z.lazy(() =>
  z.strictObject({
    address: z
      .union([Address, Cidr])
      .describe("the address or network, exactly as it is banned; sec.ban without an address lists the bans"),
  }),
);

interface UnbanTarget extends BanTarget {
  readonly network: Network;
}

export const unban = defineTool<z.infer<typeof Input>, z.infer<typeof BanList>, UnbanTarget, z.infer<typeof BanImage>>({
  name: "sec.unban",
  title: "Lift a ban",
  description:
    "Lifts the ban of an address or network before its time. Undo bans it again for what is left of its time. Bans with a time end by themselves; nothing has to be lifted then.",
  input: Input,
  output: BanList,
  risk: "reversible",
  timeout_ms: 30_000,
  idempotent: true,
  tainted: false,
  image: BanImage,
  resolve({ address }, context) {
    const network = networkOf(address);
    const known = banOf(context, network.text);
    if (known === null) {
      const wider = bansNow(context).filter((one) => meet(networkOf(one.network), network));
      const hint =
        wider.length === 0
          ? ""
          : `; it meets the ban of ${wider
              .slice(0, 5)
              .map((one) => `"${one.network}"`)
              .join(", ")}: lift that`;
      throw new ToolError(`lifting the ban of "${network.text}" failed: it is not banned${hint}`);
    }
    return { network, resources: [banResource(network, known, {})] };
  },
  preview: ({ network }, _, context) => ({
    changes: [`${network.text} is let in again, banned because: ${banOf(context, network.text)?.why ?? ""}`],
    final: [],
  }),
  snapshot: ({ network }, _, context) => ({ network: network.text, before: banOf(context, network.text) }),
  async run({ network }, _, context) {
    declareBan(context.state, network.text, null);
    await applyBans(context);
    return banList(context);
  },
  async verify({ network }, _, __, context) {
    if (!(await isApplied(context, network.text)))
      throw new ToolError(`lifting the ban of "${network.text}" failed: the kernel still has it`);
  },
  settled: async ({ network }, _, context) => banOf(context, network) === null && (await isApplied(context, network)),
  undo: undoBan,
  verifyUndone: verifyBanUndone,
});
