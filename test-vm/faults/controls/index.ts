/** What looks like a fault and is none. */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Control } from "../fault.ts";
import { served_controls } from "./served.ts";

export const controls: readonly Control[] = [
  ...served_controls,
  {
    name: "many-small-files",
    family: "disk",
    what: "a thousand files are written into /srv",
    happen({ folders }) {
      mkdirSync(join(folders.srv, "mail"), { recursive: true });
      for (let n = 0; n < 1000; n += 1) writeFileSync(join(folders.srv, "mail", `m${n}`), "Dear Sir or Madam\n");
    },
    traces: [/^file\/srv\/mail/],
    clean: ({ folders }) => rmSync(join(folders.srv, "mail"), { recursive: true, force: true }),
  },
  {
    name: "listener-on-loopback",
    family: "network",
    what: "a program asks, and listens on loopback only",
    async happen(ground) {
      const script = `Bun.listen({ hostname: "127.0.0.1", port: 7070, socket: { data() {} } }); setTimeout(() => process.exit(), 4000)`;
      await ground.inside.sh([process.execPath, "-e", script]);
    },
  },
  {
    name: "many-visitors",
    family: "network",
    what: "three hundred connections come within a moment",
    async happen(ground) {
      await ground.inside.sh(["bash", "-c", "for n in $(seq 300); do (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; done"], 60_000);
    },
  },
];
