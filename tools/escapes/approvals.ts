/** Approvals that are used for something else than what a person has seen, and what is taken back, kept or made again by those who may not. */

import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { linuxSystem } from "../../sys/linux.ts";
import { type Attempt, demand, same } from "./attempt.ts";
import { type Answer, admin, observer, operator, type Stage, type Who } from "./stage.ts";

const sys = linuxSystem();

/** A change outside of what the strategic tier may change: it waits. */
async function waiting(stage: Stage, who: Who, tool: string, args: Record<string, unknown>): Promise<Answer> {
  const answer = await stage.call(who, tool, args);
  if (answer.status !== "waiting") throw new Error(`this is no attempt: ${tool} ended as ${answer.status}: ${answer.text}`);
  return answer;
}

const decide = (stage: Stage, who: Who, call: string, approve = true): Promise<string | null> =>
  stage.refusal(who, "approvals/decide", { call, approve, reason: "looks fine" });

const write = (path: string) => ({ path, content: "planted\n", how: "write" });

/** Something is asked, approved after the world was changed, and must not be done to what is there now. */
function changedMeanwhile(
  name: string,
  change: (stage: Stage, folder: string) => void,
  back: (folder: string) => void = () => {},
): Attempt {
  return {
    name,
    by: "strategic, with somebody who changes things meanwhile",
    async run(stage) {
      const folder = join(stage.outside, "folder");
      mkdirSync(folder);
      mkdirSync(join(stage.outside, "victim"));
      const { call } = await waiting(stage, "strategic", "fs.write", write(join(folder, "file")));
      change(stage, folder);
      try {
        await decide(stage, admin, call);
        demand("it was written where nobody had seen it", !existsSync(join(stage.outside, "victim/file")));
      } finally {
        back(folder);
      }
    },
  };
}

export const approvals: readonly Attempt[] = [
  changedMeanwhile("the folder is replaced by a link after the question", (stage, folder) => {
    renameSync(folder, `${folder}-away`);
    symlinkSync(join(stage.outside, "victim"), folder);
  }),
  changedMeanwhile(
    "another folder is mounted over the folder after the question",
    (stage, folder) => sys.mount.mount({ source: join(stage.outside, "victim"), target: folder, type: "", flags: ["bind"] }),
    (folder) => sys.mount.unmount(folder, ["detach"]),
  ),
  changedMeanwhile("the file is a link when it is approved", (stage, folder) => {
    writeFileSync(join(stage.outside, "victim/target"), "victim\n");
    symlinkSync(join(stage.outside, "victim/target"), join(folder, "file"));
  }),
  {
    name: "a program that is changed after a person has seen it",
    by: "tactical",
    async run(stage) {
      const path = join(stage.work, "tool");
      writeFileSync(path, "#!/bin/sh\necho good\n");
      chmodSync(path, 0o755);
      const { call } = await waiting(stage, "tactical", "process.spawn", { argv: [path], sandbox: "network" });
      await stage.must("tactical", "fs.write", { path, content: "#!/bin/sh\necho evil\n", how: "replace" });
      const result = JSON.stringify(await stage.ask(admin, "approvals/decide", { call, approve: true, reason: "x" }));
      demand(`it ran: ${result}`, !result.includes("evil"));
    },
  },
  {
    name: "an approval that is used twice",
    by: "strategic",
    async run(stage) {
      const path = join(stage.outside, "file");
      const { call } = await waiting(stage, "strategic", "fs.write", write(path));
      same("the first", await decide(stage, admin, call), null);
      rmSync(path);
      demand("the second went through", (await decide(stage, admin, call)) !== null);
      demand("the third went through", (await decide(stage, operator, call)) !== null);
      demand("it was written again", !existsSync(path));
    },
  },
  {
    name: "two people who approve at once",
    by: "strategic",
    async run(stage) {
      const path = join(stage.outside, "file");
      const { call } = await waiting(stage, "strategic", "fs.write", { path, content: "once\n", how: "append" });
      const answers = await Promise.all([admin, operator, admin, operator].map((who) => decide(stage, who, call)));
      same("approvals that counted", answers.filter((answer) => answer === null).length, 1);
      same("what was written", readFileSync(path, "utf8"), "once\n");
    },
  },
  {
    name: "the same call again after its approval, with the same reason and key",
    by: "strategic",
    async run(stage) {
      const path = join(stage.outside, "file");
      const first = await stage.call("strategic", "fs.write", write(path), { key: "again" });
      await decide(stage, admin, first.call);
      demand("it was not written at all", existsSync(path));
      rmSync(path);
      await stage.call("strategic", "fs.write", write(path), { key: "again" });
      await stage.call("strategic", "fs.write", write(path), { key: "another" });
      await stage.call("strategic", "fs.write", write(path));
      demand("it was written again", !existsSync(path));
    },
  },
  {
    name: "a key with other arguments, and another's key",
    by: "tactical and strategic",
    async run(stage) {
      await stage.must("tactical", "fs.write", write(join(stage.work, "a")), { key: "mine" });
      const first = await stage.call("tactical", "fs.write", write(join(stage.work, "a")), { key: "mine" });
      const other = await stage.wrong("tactical", "fs.write", write(join(stage.outside, "b")), { key: "mine" });
      demand(`other arguments ended as ${other.status}`, other.status === "invalid");
      const theirs = await stage.call("strategic", "fs.write", write(join(stage.work, "a")), { key: "mine" });
      demand("another's key got another's answer", theirs.call !== first.call);
      const beyond = await stage.call("strategic", "fs.write", write(join(stage.outside, "b")), { key: "mine as well" });
      demand(`what needs a person ended as ${beyond.status}`, beyond.status === "waiting");
      demand("it was written", !existsSync(join(stage.outside, "b")));
    },
  },
  {
    name: "an approval after it was declined, withdrawn or cancelled",
    by: "strategic",
    async run(stage) {
      const path = join(stage.outside, "file");
      const declined = await waiting(stage, "strategic", "fs.write", write(path));
      same("declining", await decide(stage, admin, declined.call, false), null);
      demand("declined, then approved", (await decide(stage, admin, declined.call)) !== null);
      const cancelled = await waiting(stage, "strategic", "fs.write", write(path));
      await stage.ask("strategic", "calls/cancel", { call: cancelled.call, reason: "no more" });
      demand("cancelled, then approved", (await decide(stage, admin, cancelled.call)) !== null);
      demand("it was written", !existsSync(path));
    },
  },
  {
    name: "a call that does not wait, or that there is not",
    by: "an admin who was talked into it",
    async run(stage) {
      const refused = await stage.call("operational", "fs.write", write(join(stage.outside, "file")));
      same("the call", refused.status, "refused");
      for (const call of [refused.call, "00000000-call-1", refused.call.replace(/\d+$/, "999999")])
        demand(`${call} was approved`, (await decide(stage, admin, call)) !== null);
      demand("it was written", !existsSync(join(stage.outside, "file")));
    },
  },
  {
    name: "an approval by those who may not give it",
    by: "an observer, an operator and the tier itself",
    async run(stage) {
      const path = join(stage.outside, "file");
      const { call } = await waiting(stage, "strategic", "fs.write", write(path));
      demand("an observer said yes", (await decide(stage, observer, call)) !== null);
      demand("an observer said no", (await decide(stage, observer, call, false)) !== null);
      demand("the tier said yes", (await decide(stage, "strategic", call)) !== null);
      const final = await waiting(stage, "tactical", "process.spawn", { argv: ["/usr/bin/true"], sandbox: "network" });
      demand("an operator said yes to what is final", (await decide(stage, operator, final.call)) !== null);
      const own = await waiting(stage, operator, "process.spawn", { argv: ["/usr/bin/true"], sandbox: "network" });
      demand("an operator said yes to his own", (await decide(stage, operator, own.call)) !== null);
      demand("it was written", !existsSync(path));
    },
  },
  {
    name: "an approval of what is forbidden to all",
    by: "an admin",
    async run(stage) {
      for (const who of ["tactical", "strategic", admin] as const) {
        const answer = await stage.call(who, "fs.write", write(join(stage.data, "console/keys")));
        demand(`${JSON.stringify(who)} ended as ${answer.status}`, answer.status === "refused");
        demand("it was approved", (await decide(stage, admin, answer.call)) !== null);
      }
    },
  },
  {
    name: "an approval for an agent whose lease has ended since",
    by: "strategic's agent",
    async run(stage) {
      const path = join(stage.work, "file");
      await stage.must("tactical", "sec.lease", { name: "short-lived", task: "x" });
      await stage.must("tactical", "sec.grant", {
        principal: "agent:short-lived",
        tools: ["fs.*"],
        resources: [{ kind: "path", id: stage.work }],
        reason: "x",
      });
      writeFileSync(path, "old\n");
      const asked = await stage.call("tactical", "fs.remove", { path }, { as: "short-lived", tainted: ["/path"] });
      await stage.must("tactical", "sec.release", { name: "short-lived" });
      if (asked.status === "waiting") await decide(stage, admin, asked.call);
      demand(`it was removed (${asked.status})`, existsSync(path));
    },
  },
  {
    name: "a way back into a removed protection: the setuid bit that an admin took away",
    by: "tactical",
    async run(stage) {
      const path = join(stage.work, "su");
      writeFileSync(path, "#!/bin/sh\n");
      chmodSync(path, 0o4755);
      const { call } = await stage.must(admin, "fs.chmod", { path, mode: "0755" });
      await stage.refusal("tactical", "undo/run", { target: { call }, reason: { text: "back" } });
      same("the bit", lstatSync(path).mode & 0o6000, 0);
    },
  },
  {
    name: "a way back into a grant that an admin took away",
    by: "tactical",
    async run(stage) {
      await stage.must("tactical", "sec.lease", { name: "regained", task: "x" });
      const { out } = await stage.must(admin, "sec.grant", {
        principal: "agent:regained",
        tools: ["fs.*"],
        resources: [{ kind: "path", id: stage.work }],
        reason: "x",
      });
      const { call } = await stage.must(admin, "sec.revoke", { grant: out["grant"] });
      await stage.refusal("tactical", "undo/run", { target: { call }, reason: { text: "back" } });
      const { grants } = (await stage.ask(admin, "grants/list", {})) as { grants: { id: string; state: string }[] };
      same("the grant", grants.filter(({ id, state }) => id === out["grant"] && state === "active").length, 0);
    },
  },
  {
    name: "a way back into what a person changed, by name, by group and by time",
    by: "every tier and an observer",
    async run(stage) {
      const path = join(stage.work, "file");
      writeFileSync(path, "old\n");
      const since_ms = Date.now();
      const { call } = await stage.must(admin, "fs.write", { path, content: "by a person\n", how: "replace" }, { group: "of-alice" });
      for (const who of ["reactive", "operational", "tactical", "strategic", observer] as const)
        for (const target of [{ call }, { group: "of-alice" }, { since_ms }])
          await stage.refusal(who, "undo/run", { target, reason: { text: "back" } });
      same("the file", readFileSync(path, "utf8"), "by a person\n");
    },
  },
  {
    name: "a way back by somebody who was an admin, and is an observer now",
    by: "a person of a lower role",
    async run(stage) {
      const path = join(stage.work, "file");
      writeFileSync(path, "old\n");
      const { call } = await stage.must({ name: "carol", role: "admin" }, "fs.write", { path, content: "new\n", how: "replace" });
      await stage.refusal({ name: "carol", role: "observer" }, "undo/run", { target: { call }, reason: { text: "back" } });
      same("the file", readFileSync(path, "utf8"), "new\n");
    },
  },
  {
    name: "an undo of an undo, to make a call again that is refused now",
    by: "tactical",
    async run(stage) {
      const folder = join(stage.outside, "open");
      mkdirSync(folder);
      const grant = { principal: "tier:tactical", tools: ["fs.write"], resources: [{ kind: "path", id: folder }], reason: "x" };
      const { out } = await stage.must(admin, "sec.grant", grant);
      const { call } = await stage.must("tactical", "fs.write", write(join(folder, "file")));
      const undone = await stage.ask("tactical", "undo/run", { target: { call }, reason: { text: "back" } });
      await stage.must(admin, "sec.revoke", { grant: out["grant"] });
      const [first] = undone["outcomes"] as { call: string }[];
      await stage.refusal("tactical", "undo/run", { target: { call: first?.call }, reason: { text: "again" } });
      demand("it was written again", !existsSync(join(folder, "file")));
    },
  },
];
