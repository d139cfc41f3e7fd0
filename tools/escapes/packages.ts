/** By packages: names that are options, files that change, layers that are written to, roots that lead out. */

import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configure, lendBase, makeDeb } from "../catalog/pkg/testing/repository.ts";
import { placesIn } from "../testing/open.ts";
import { type Attempt, demand } from "./attempt.ts";
import { admin, canary, operator, type Stage } from "./stage.ts";

const userland = ({ data }: Stage): string => join(data, "userland");

function ready(stage: Stage): void {
  const places = placesIn(join(stage.data, ".."));
  lendBase(places);
  configure(places, {});
}

/** None of the stages of this family installs anything by itself. */
function nothingInstalled(stage: Stage): void {
  const file = join(userland(stage), "current");
  demand("there is a generation", !existsSync(file) || readFileSync(file, "utf8") === "0\n");
}

const evil = (stage: Stage, name = "aios-evil"): string =>
  makeDeb(stage.work, { name, version: "1.0", scripts: { postinst: `cp /etc/shadow /var/lib/evil; touch ${stage.outside}/written` } });

export const packages: readonly Attempt[] = [
  {
    name: "names and versions of packages that are options, paths or expressions",
    by: "an operator",
    async run(stage) {
      ready(stage);
      const names = [
        "--allow-unauthenticated",
        "-oAPT::Get::AllowUnauthenticated=1",
        "./x.deb",
        "/tmp/x.deb",
        "x=1",
        "x/sid",
        "^lib",
        "dpkg-",
        "dpkg-\u0000",
        "a b",
      ];
      for (const name of names) {
        const answer = await stage.wrong(operator, "pkg.install", { packages: [{ name }] });
        demand(`"${name}" was taken: ${answer.status} ${answer.text}`, answer.status === "invalid");
        const removed = await stage.wrong(operator, "pkg.remove", { packages: [name] });
        demand(`"${name}" was taken for removal: ${removed.status}`, removed.status === "invalid" || removed.status === "failed");
      }
      const version = await stage.wrong(operator, "pkg.install", { packages: [{ name: "dash", version: "1 --reinstall" }] });
      demand(`a version with an option was taken: ${version.status}`, version.status === "invalid");
      const words = await stage.wrong("tactical", "pkg.search", { words: ["-oDir::State=/"] });
      demand(`a word that is an option was taken: ${words.status}`, words.status === "invalid");
      nothingInstalled(stage);
    },
  },
  {
    name: "a tier installs a package by itself",
    by: "tactical",
    async run(stage) {
      ready(stage);
      const answer = await stage.call("tactical", "pkg.install", { packages: [{ name: "aios-evil" }] });
      demand(`it ended as ${answer.status}`, answer.status === "waiting" || answer.status === "failed");
      const lower = await stage.call("operational", "pkg.rollback", { to: 0 });
      demand(`it ended as ${lower.status}`, lower.status === "refused");
      nothingInstalled(stage);
    },
  },
  {
    name: "an unsigned file without anybody's approval",
    by: "an admin",
    async run(stage) {
      ready(stage);
      const answer = await stage.call(admin, "pkg.install", { files: [evil(stage)] });
      demand(`it ended as ${answer.status}: ${answer.text}`, answer.status === "waiting");
      nothingInstalled(stage);
    },
  },
  {
    name: "another file in the place of the one that was approved",
    by: "whoever may write the folder",
    async run(stage) {
      ready(stage);
      const good = makeDeb(stage.work, { name: "aios-good", version: "1.0" });
      const waiting = await stage.call(admin, "pkg.install", { files: [good] });
      demand(`it ended as ${waiting.status}: ${waiting.text}`, waiting.status === "waiting");
      renameSync(evil(stage, "aios-other"), good);
      const decided = await stage.ask(admin, "approvals/decide", { call: waiting.call, approve: true, reason: "it looked good" });
      demand("the other file was installed", JSON.stringify(decided).includes('"status":"done"') === false);
      nothingInstalled(stage);
    },
  },
  {
    name: "a link to what nobody may read in the place of a package",
    by: "an operator",
    async run(stage) {
      ready(stage);
      const link = join(stage.work, "x.deb");
      symlinkSync(join(stage.data, "broker/planted"), link);
      const answer = await stage.wrong(operator, "pkg.install", { files: [link] });
      demand(`it ended as ${answer.status}`, answer.status !== "done" && answer.status !== "waiting");
      demand("its content came out", !answer.text.includes(canary));
      nothingInstalled(stage);
    },
  },
  {
    name: "writing into the layers and over the number of the current generation",
    by: "an admin",
    async run(stage) {
      ready(stage);
      mkdirSync(join(userland(stage), "generations/1/layer"), { recursive: true });
      for (const path of ["current", "generations/1/layer/passwd", "base/x"]) {
        const answer = await stage.call(admin, "fs.write", {
          path: join(userland(stage), path),
          content: "1\n",
          how: "write",
        });
        demand(`"${path}" was written: ${answer.status}`, answer.status === "refused" || answer.status === "failed");
      }
      const removed = await stage.call(admin, "fs.remove", { path: join(userland(stage), "base"), recursive: true });
      demand(`the bases were removed: ${removed.status}`, removed.status === "refused");
      nothingInstalled(stage);
    },
  },
  {
    name: "a link in the work folder that leads into the layers",
    by: "tactical",
    async run(stage) {
      ready(stage);
      mkdirSync(userland(stage), { recursive: true });
      symlinkSync(userland(stage), join(stage.work, "innocent"));
      const answer = await stage.call("tactical", "fs.write", { path: join(stage.work, "innocent/current"), content: "7\n", how: "write" });
      demand(`it was written: ${answer.status}`, answer.status === "refused");
      nothingInstalled(stage);
    },
  },
  {
    name: "a program of the userland that reads what is outside of it",
    by: "an operator",
    async run(stage) {
      ready(stage);
      writeFileSync(join(stage.outside, "canary"), canary);
      for (const argv of [
        ["/usr/bin/cat", join(stage.outside, "canary")],
        ["/usr/bin/cat", `/proc/1/root${stage.outside}/canary`],
        ["/usr/bin/cat", join(stage.data, "memory/memory.db")],
        ["/usr/bin/cat", "/run/aios/broker/console/sock"],
      ]) {
        const answer = await stage.call(operator, "process.spawn", { argv, root: "userland" });
        demand(`"${argv.join(" ")}" did not come to run: ${answer.text}`, answer.status === "done");
        demand(`"${argv.join(" ")}" read it`, !JSON.stringify(answer.out).includes(canary) && answer.out["status"] !== 0);
      }
      const out = await stage.wrong(operator, "process.spawn", { argv: ["/../../../../usr/bin/env"], root: "userland" });
      demand(`a program above the root: ${out.status}`, out.status !== "done" || JSON.stringify(out.out).includes("PATH="));
    },
  },
];
