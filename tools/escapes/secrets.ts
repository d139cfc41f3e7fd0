/** Ways to the value of a secret for those that may at most use it. */

import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Attempt, demand } from "./attempt.ts";
import { demandNoLeak } from "./paths.ts";
import { admin, canary, operator, type Stage, type Who } from "./stage.ts";

const everybody: readonly Who[] = ["reactive", "operational", "tactical", "strategic", operator, admin];
/** What may have it; it does not show it. */
const sleeps = ["/bin/sleep", "60"];
const shows = ["/bin/cat", "/run/secrets/db"];
const for_sleeper = { to: "service", service: "sleeper", argv: sleeps };

async function put(stage: Stage, uses: readonly object[] = [for_sleeper]): Promise<void> {
  await stage.must(admin, "sec.secret_put", { name: "db", value: canary, uses });
}

async function noneGets(stage: Stage, tool: string, args: Record<string, unknown>, who = everybody): Promise<void> {
  for (const one of who) {
    const answer = await stage.call(one, tool, args);
    demandNoLeak(`${tool} by ${JSON.stringify(one)}`, answer);
    demand(`${tool} by ${JSON.stringify(one)} was done`, answer.status !== "done");
  }
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function nobodyReads(stage: Stage, path: string): Promise<void> {
  await noneGets(stage, "fs.read", { path });
  await noneGets(stage, "fs.copy", { from: path, to: join(stage.work, "copied"), follow: true });
  await noneGets(stage, "process.spawn", { argv: ["/bin/cat", path], reads: [path] });
}

async function withServer(work: (port: number, heard: string[]) => Promise<void>): Promise<void> {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(JSON.stringify(request.headers));
    response.end("ok");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    await work((server.address() as AddressInfo).port, heard);
  } finally {
    server.close();
  }
}

export const secrets: readonly Attempt[] = [
  {
    name: "the vault's files and keys by path",
    by: "everybody",
    async run(stage) {
      await put(stage);
      const files = filesBelow(join(stage.data, "broker/vault"));
      demand("there is nothing to read", files.length >= 2);
      for (const file of files) await nobodyReads(stage, file);
    },
  },
  {
    name: "the vault through a hard link and a symbolic link in the work folder",
    by: "everybody",
    async run(stage) {
      await put(stage);
      const [key = ""] = filesBelow(join(stage.data, "broker/vault/keys"));
      symlinkSync(key, join(stage.work, "soft"));
      await nobodyReads(stage, join(stage.work, "soft"));
      linkSync(key, join(stage.work, "hard"));
      for (const who of ["reactive", "operational", "tactical", "strategic"] as const)
        demand("a hard link to a key was read", (await stage.call(who, "fs.read", { path: join(stage.work, "hard") })).status !== "done");
      await noneGets(stage, "fs.link", { path: join(stage.work, "own"), to: key, kind: "hard" });
    },
  },
  {
    name: "a value on its way: the file that a service gets, by path",
    by: "everybody",
    async run(stage) {
      await put(stage);
      await stage.must(admin, "service.define", { name: "sleeper", argv: sleeps, secrets: ["db"] });
      const handed = join(stage.run, "secrets/sleeper/db");
      demand("it was not handed out", readFileSync(handed, "utf8") === canary);
      await nobodyReads(stage, handed);
      await stage.must(admin, "service.remove", { name: "sleeper" });
      demand("it is still there", !existsSync(handed));
    },
  },
  {
    name: "process.spawn of a program that shows it",
    by: "everybody",
    async run(stage) {
      await put(stage);
      await noneGets(stage, "process.spawn", { argv: shows, secrets: [{ name: "db" }] });
      await noneGets(stage, "process.spawn", { argv: ["/usr/bin/env"], secrets: [{ name: "db", variable: "DB" }] });
    },
  },
  {
    name: "process.spawn of what the owner has named, with variables, stdin or another argument of one's own",
    by: "everybody",
    async run(stage) {
      await put(stage, [{ to: "program", argv: ["/bin/sh", "-s"] }]);
      const args = { argv: ["/bin/sh", "-s"], secrets: [{ name: "db" }] };
      await noneGets(stage, "process.spawn", { ...args, stdin: "cat /run/secrets/db | rev" });
      await noneGets(stage, "process.spawn", { ...args, env: { ENVIRON: "cat /run/secrets/db | rev" } });
      await noneGets(stage, "process.spawn", { ...args, argv: ["/bin/sh", "-s", "-c", "rev /run/secrets/db"] });
    },
  },
  {
    name: "service.define of what the owner has named, with other arguments, variables or another root",
    by: "everybody",
    async run(stage) {
      await put(stage);
      const define = { name: "sleeper", argv: sleeps, secrets: ["db"] };
      await noneGets(stage, "service.define", { ...define, argv: shows });
      await noneGets(stage, "service.define", { ...define, env: { A: "b" } });
      await noneGets(stage, "service.define", { ...define, name: "other" });
      mkdirSync(join(stage.work, "root/bin"), { recursive: true });
      copyFileSync("/bin/cat", join(stage.work, "root/bin/sleep"));
      await noneGets(stage, "service.define", { ...define, root: join(stage.work, "root") });
    },
  },
  {
    name: "sec.secret_use for a service that was defined with other arguments",
    by: "everybody",
    async run(stage) {
      await put(stage);
      await stage.must("tactical", "service.define", { name: "sleeper", argv: ["/bin/sleep", "61"] });
      await noneGets(stage, "sec.secret_use", { name: "db", service: "sleeper" });
      await stage.must(admin, "service.remove", { name: "sleeper" });
    },
  },
  {
    name: "net.http with it to a host that the owner has not named",
    by: "everybody",
    run: (stage) =>
      withServer(async (port, heard) => {
        await put(stage, [{ to: "host", host: "127.0.0.1", port: port === 443 ? 444 : 443 }]);
        const secret_headers = [{ header: "authorization", secret: "db" }];
        for (const host of ["127.0.0.1", "[::ffff:127.0.0.1]", "127.1", "LOCALHOST", "127.0.0.1."])
          for (const one of everybody) {
            const answer = await stage.wrong(one, "net.http", { url: `http://${host}:${port}/`, secret_headers });
            demand(`net.http to ${host} by ${JSON.stringify(one)} was done`, answer.status !== "done");
          }
        demand("the host has heard it", !heard.join().includes(canary));
      }),
  },
  {
    name: "a tier that may put secrets gives itself the use of another's",
    by: "tactical",
    async run(stage) {
      await put(stage);
      await stage.must(admin, "sec.grant", {
        ...{ principal: "tier:tactical", tools: ["sec.*"], resources: [{ kind: "secret", id: "*" }], reason: "an attempt" },
      });
      await noneGets(stage, "sec.secret_put", { name: "db", uses: [{ to: "program", argv: shows }] }, ["tactical"]);
      await noneGets(stage, "process.spawn", { argv: shows, secrets: [{ name: "db" }] });
    },
  },
  {
    name: "sealed bytes of one secret under the name of another",
    by: "whoever writes to the disk while it is out of the machine",
    async run(stage) {
      await put(stage);
      await stage.must(admin, "sec.secret_put", { name: "mine", value: "of no worth", uses: [{ to: "program", argv: shows }] });
      const [from, to] = ["db", "mine"].map((name) => join(stage.data, `broker/vault/secret/${name}.json`)) as [string, string];
      copyFileSync(from, to);
      await noneGets(stage, "process.spawn", { argv: shows, secrets: [{ name: "mine" }] });
    },
  },
  {
    name: "names with dots, slashes and zero bytes",
    by: "admin",
    async run(stage) {
      await put(stage);
      const before = filesBelow(join(stage.data, "broker")).length;
      for (const name of ["../keys/db", "..", ".", "a/../db", "db\0", "db.json", "/etc/passwd", "ＤＢ", "DB", ""])
        for (const [tool, more] of [
          ["sec.secret_put", { value: canary }],
          ["sec.secret_rotate", {}],
          ["sec.secret_delete", {}],
          ["sec.secret_use", { service: "sleeper" }],
          ["sec.certificate_create", { names: ["a.example"] }],
        ] as const) {
          const answer = await stage.wrong(admin, tool, { name, ...more });
          demand(`${tool} of ${JSON.stringify(name)} was done`, answer.status === "invalid" || answer.status === "failed");
          demandNoLeak(tool, answer);
        }
      demand("files were made", filesBelow(join(stage.data, "broker")).filter((file) => !file.includes("audit")).length <= before + 1);
    },
  },
  {
    name: "errors that repeat what was given",
    by: "admin",
    async run(stage) {
      for (const args of [
        { name: "db", value: canary, encoding: "base64" },
        { name: "db", value: [canary] },
        { name: "db", value: { [canary]: canary } },
        { name: "db", value: canary.repeat(1000) },
        { name: "db", value: canary, generate: {} },
        { name: "db", valve: canary },
        { name: "db", value: canary, uses: "x" },
      ])
        demandNoLeak("an error", (await stage.wrong(admin, "sec.secret_put", args)).text.replace(/"?\[?canary[^"]*"?:/g, ""));
      const { entries } = await stage.ask(admin, "audit/query", { query: { tool: "sec.secret_put", limit: 20 } });
      demandNoLeak("the audit", entries);
    },
  },
  {
    name: "a tainted text chooses the secret or its consumer",
    by: "tactical",
    async run(stage) {
      await put(stage);
      await stage.must("tactical", "service.define", { name: "sleeper", argv: sleeps });
      for (const pointer of ["/name", "/service"]) {
        const answer = await stage.call("tactical", "sec.secret_use", { name: "db", service: "sleeper" }, { tainted: [pointer] });
        demand(`it was done, tainted at ${pointer}`, answer.status === "waiting" || answer.status === "refused");
      }
      await stage.must(admin, "service.remove", { name: "sleeper" });
    },
  },
  {
    name: "an authority of the vault signs for a tier",
    by: "every tier",
    async run(stage) {
      await stage.must(admin, "sec.certificate_create", { name: "ours", subject: "Ours", authority: true });
      for (const who of ["reactive", "operational", "tactical", "strategic"] as const) {
        const args = { name: "bank", names: ["bank.example"], days: 1, signed_by: { by: "authority", authority: "ours" } };
        const answer = await stage.call(who, "sec.certificate_create", args);
        demand(`${who} got a certificate`, answer.status === "refused" || answer.status === "waiting");
      }
    },
  },
];
