/** Attackers, certificates, data. */

import { join } from "node:path";
import { z } from "zod";
import type { Fault } from "../fault.ts";
import type { Served } from "../ground.ts";
import { ours } from "../ours/only.ts";

const attacker = "203.0.113.7";

const Inspected = z.object({ chain: z.array(z.object({ days_left: z.number() })) });

async function daysLeft(ground: Served, name: string): Promise<number> {
  const { structuredContent } = await ours(ground).aiosctl.done("sec.certificate_inspect", { of: { is: "kept", name } });
  return Inspected.parse(structuredContent).chain[0]?.days_left ?? 0;
}

/** What has read it already would go on with what it remembers: it ends, as at a power cut. */
async function endService(ground: Served): Promise<void> {
  const pid = await ground.patient("shop").pid();
  if (pid !== null) await ground.signal(pid, "KILL");
}

export const security_faults: readonly Fault<Served>[] = [
  {
    name: "passwords-tried",
    family: "security",
    what: "somebody tries passwords",
    noticed: { alarms: ["failed-logins"], subject: attacker },
    traces: [/^firewall$/],
    async inject(ground) {
      await ground.patient("clerk").tell("login 12");
      return async () => (await ground.ruleset()).includes(attacker);
    },
    clean: ({ person }) => person.unban(attacker),
  },
  {
    name: "setuid-file",
    family: "security",
    what: "a file that gives everybody the rights of root appears where data lie",
    noticed: { alarms: ["setuid-file"] },
    ends: "person",
    async inject({ folders, files }) {
      const path = join(folders.srv, "tool");
      await files.makeSetuid(path);
      return async () => (((await files.mode(path)) ?? 0) & 0o6000) === 0;
    },
    clean: ({ folders, files }) => files.remove(join(folders.srv, "tool")),
  },
  {
    name: "certificate-ends",
    family: "certificates",
    what: "a certificate is valid for five more days only",
    noticed: { alarms: ["certificate-ends"], subject: "counter" },
    only: "ours",
    async inject(ground) {
      // to delete one needs a person, so each time it is another one
      const name = `counter-${crypto.randomUUID().slice(0, 8)}`;
      await ours(ground).aiosctl.done("sec.certificate_create", { name, names: ["counter.example"], days: 5 });
      return async () => (await daysLeft(ground, name)) > 30;
    },
  },
  {
    name: "database-damaged",
    family: "database",
    what: "pages of a database are overwritten, and its service ends",
    noticed: { alarms: ["service-crash-loop", "service-down"], subject: "shop", rules: ["service-dead"] },
    traces: [/^service\/shop$/],
    async inject(ground) {
      const path = join(ground.folders.srv, "shop/shop.db");
      await ground.files.damage(path);
      await endService(ground);
      return async () => (await ground.files.isWhole(path)) && (await ground.patient("shop").ready());
    },
  },
  {
    name: "database-deleted",
    family: "database",
    what: "a database has become something else, and its service ends",
    noticed: { alarms: ["service-crash-loop", "service-down"], subject: "shop", rules: ["service-dead"] },
    traces: [/^service\/shop$/],
    async inject(ground) {
      const path = join(ground.folders.srv, "shop/shop.db");
      await ground.files.write(path, "not a database any more, but this long sentence of text instead of it\n".repeat(40));
      await endService(ground);
      return async () => (await ground.files.isWhole(path)) && (await ground.patient("shop").ready());
    },
  },
];
