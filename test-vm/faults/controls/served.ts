/** Controls of whatever has the services under test. */

import { join } from "node:path";
import type { Control } from "../fault.ts";
import type { Served } from "../ground.ts";
import { ours } from "../ours/only.ts";

export const served_controls: readonly Control<Served>[] = [
  {
    name: "download-that-ends",
    family: "disk",
    what: "a large download comes, and is taken away again",
    async happen({ folders, files }) {
      await files.fill(join(folders.srv, "download.iso"), 120);
      await Bun.sleep(500);
      await files.remove(join(folders.srv, "download.iso"));
    },
  },
  {
    name: "short-computation",
    family: "cpu",
    what: "a process computes for a moment",
    happen: (ground) => ground.patient("web").tell(`spin-for ${Math.round(60_000 / ground.pace)}`),
  },
  {
    name: "warm-cache",
    family: "memory",
    what: "a service uses half of the memory that it may have",
    happen: (ground) => ground.patient("web").tell("leak 40"),
  },
  {
    name: "some-children",
    family: "process",
    what: "a service starts twenty processes",
    happen: (ground) => ground.patient("web").tell("fork 20"),
  },
  {
    name: "log-full-of-errors",
    family: "process",
    what: "a service writes five hundred lines with ERROR",
    happen: (ground) => ground.patient("clerk").tell("say 500"),
  },
  {
    name: "one-failed-login",
    family: "security",
    what: "somebody mistypes a password twice",
    happen: (ground) => ground.patient("clerk").tell("login 2"),
  },
  {
    name: "restart-by-a-person",
    family: "process",
    what: "somebody restarts a service",
    happen: (ground) => ground.person.restart("web"),
    traces: [/^service\/web$/],
  },
  {
    name: "stopped-by-a-person",
    family: "process",
    what: "somebody stops a service that has no port, and it stays stopped",
    happen: (ground) => ground.person.stop("shop"),
    traces: [/^service\/shop$/],
    clean: (ground) => ground.person.start("shop"),
  },
  {
    name: "declared-listener",
    family: "network",
    what: "a port is declared, and a service listens there",
    async happen(ground) {
      await ground.person.declarePort(7777, "web");
      await ground.patient("web").tell("listen 7777");
    },
    traces: [/^listener\/tcp:7777$/, /^firewall$/],
    async clean(ground) {
      await ground.person.closePort(7777, "web");
      await ground.person.restart("web");
    },
  },
  {
    name: "renamed-by-a-person",
    family: "drift",
    what: "somebody gives the host another name, as one does",
    happen: (ground) => ground.person.setHostname("bookkeeper"),
    traces: [/^hostname$/],
    clean: (ground) => ground.person.setHostname("shopkeeper"),
  },
  {
    name: "page-edited",
    family: "drift",
    what: "somebody changes a page of the web site",
    happen: ({ folders, files }) => files.write(join(folders.srv, "index.html"), "<h1>new</h1>\n"),
    traces: [/^file\/srv\/index\.html$/],
    clean: ({ folders, files }) => files.remove(join(folders.srv, "index.html")),
  },
  {
    name: "database-read",
    family: "database",
    what: "somebody reads the whole database, and copies it",
    happen: ({ folders, files }) => files.copy(join(folders.srv, "shop/shop.db"), join(folders.srv, "copy.db")),
    traces: [/^file\/srv\/copy\.db$/],
    clean: ({ folders, files }) => files.remove(join(folders.srv, "copy.db")),
  },
  {
    name: "fresh-certificate",
    family: "certificates",
    what: "somebody makes a certificate for a year",
    only: "ours",
    happen: async (ground) => {
      // of another name each time
      const name = `yearly-${Date.now().toString(36)}`;
      await ours(ground).aiosctl.done("sec.certificate_create", { name, names: ["a.example"], days: 365 });
    },
  },
];
