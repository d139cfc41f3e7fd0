/**
 * The tools that policies may name, so that a slip of the pen in a policy is found. What a tool really does to the system
 * is said by the tool and asked with each call; the risk here is what an example of a policy means when it names none.
 */

import type { Risk } from "../../contracts/tool.ts";

const by_risk: Readonly<Record<Risk, Readonly<Record<string, readonly string[]>>>> = {
  observe: {
    fs: ["read", "list", "stat", "find", "search", "usage", "watch", "checksum"],
    process: ["list", "info", "tree", "open_files", "trace"],
    service: ["status", "list", "logs", "usage"],
    net: ["interfaces", "connect", "connections", "dns", "ping", "trace", "capture", "http", "wireguard_status"],
    pkg: ["search", "list", "info", "files", "history"],
    sec: ["audit", "secret_list", "certificate_inspect", "integrity_compare", "scan"],
    sys: ["info", "metrics", "logs", "events", "drives"],
    task: ["list"],
    goal: ["list", "show"],
    knowledge: ["search", "show", "list", "history"],
    memory: [
      "search",
      "recall",
      "timeline",
      "trace",
      "stats",
      "recent",
      "templates",
      "incidents",
      "learned",
      "examples",
      "backups",
      "retention",
    ],
    model: ["list", "verify"],
  },
  reversible: {
    fs: ["write", "edit", "copy", "move", "remove", "mkdir", "link", "chmod", "chown", "mount", "unmount"],
    process: ["priority", "limits"],
    service: ["define", "enable", "disable", "remove"],
    net: ["configure", "listen", "firewall", "wireguard_create", "wireguard_peer"],
    pkg: ["install", "remove", "update", "rollback", "squash"],
    sec: [
      "grant",
      "revoke",
      "request",
      "lease",
      "release",
      "ban",
      "unban",
      "integrity_baseline",
      "secret_put",
      "secret_use",
      "secret_rotate",
      "certificate_create",
      "certificate_renew",
      "certificate_rotate",
    ],
    sys: ["time", "hostname", "sysctl"],
    task: ["schedule", "cancel"],
    knowledge: ["add", "edit"],
    memory: ["store", "link", "pin", "quarantine", "train", "classifier"],
    model: ["pull", "use", "bench"],
  },
  compensable: {
    process: ["spawn"],
    goal: ["add", "pause", "resume", "cancel"],
    service: ["start", "stop", "restart"],
    sys: ["clean", "rotate", "declared"],
    net: ["declared"],
    memory: ["backup", "export", "import"],
    model: ["remove"],
  },
  irreversible: {
    process: ["kill", "signal"],
    sec: ["secret_delete"],
    sys: ["power"],
    pkg: ["prune"],
    memory: ["restore", "retain"],
  },
};

/** Name → the risk of a call of it. */
export const tool_names: ReadonlyMap<string, Risk> = new Map(
  (Object.keys(by_risk) as Risk[]).flatMap((risk) =>
    Object.entries(by_risk[risk]).flatMap(([family, verbs]) => verbs.map((verb) => [`${family}.${verb}`, risk] as const)),
  ),
);
