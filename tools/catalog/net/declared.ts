import { declaredTool } from "../shared/declared.ts";
import { restoreNetwork } from "./restore.ts";
import { linkDrift } from "./shared/declared-links.ts";
import { dnsDrift } from "./shared/dns-servers.ts";
import { wallDifference } from "./shared/wall.ts";

/** Tunnels are made again at the broker's start; whether they are as declared nobody looks. */
export const declared = declaredTool({
  name: "net.declared",
  title: "The network as declared",
  covers: "firewall, interfaces and DNS servers",
  resources: [
    { kind: "firewall", id: "inet/aios" },
    { kind: "setting", id: "network" },
    { kind: "setting", id: "dns" },
  ],
  async drift(context) {
    const wall = await wallDifference(context);
    const of_wall = wall === null ? [] : [{ what: "firewall", detail: wall.slice(0, 500) }];
    return [...of_wall, ...(await linkDrift(context)), ...dnsDrift(context)];
  },
  restore: (context) => restoreNetwork(context, "all"),
});
