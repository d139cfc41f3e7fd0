/** The network as it was declared, made so again. */

import type { Context } from "../../context.ts";
import { restoreLinks, type Which } from "./shared/declared-links.ts";
import { restoreDns } from "./shared/dns-servers.ts";
import { declaredPorts, declaredWall, first_wall, put, wall_key } from "./shared/wall.ts";
import { applyTunnel, Tunnel, tunnel_prefix } from "./shared/wireguard.ts";

/** The firewall first: nothing is reachable that was not meant to be, while the addresses come up. @throws with what failed */
export async function restoreNetwork(context: Context, which: Which): Promise<void> {
  const failed: string[] = [];
  const wall = declaredWall(context.state) ?? first_wall;
  try {
    await put(context, wall, declaredPorts(context.state));
    context.state.put(wall_key, wall);
  } catch (error) {
    failed.push(error instanceof Error ? error.message : String(error));
  }
  failed.push(...(await restoreLinks(context, which)));
  restoreDns(context);
  for (const { key, value } of context.state.list(tunnel_prefix))
    await applyTunnel(context, key.slice(tunnel_prefix.length), Tunnel.parse(value)).catch((error: unknown) => {
      failed.push(error instanceof Error ? error.message : String(error));
    });
  if (failed.length > 0) throw new Error(failed.join("; "));
}
