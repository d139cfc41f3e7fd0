/** The helper process of the memory service: one job as its argument, JSON lines on stdout, then it ends. */

import { writeFileSync, writeSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { Job, type JobLine, type JobResults } from "../../contracts/memory/job.ts";
import { trainIn } from "../classifier/job.ts";
import { rewriteSegment } from "../retention/rewrite.ts";
import { makeBackup } from "./backup/make.ts";
import { stage } from "./backup/restore.ts";
import { verifyBackup } from "./backup/verify.ts";
import { exportMemories } from "./exchange/export.ts";
import { checkImport } from "./exchange/import.ts";
import { backupIn } from "./folders.ts";
import { salvage } from "./recover/salvage.ts";
import { writeCold } from "./segments/choose.ts";

/** Whoever asks memory goes first. */
const niceness = 10;
/** When memory runs out the kernel takes the helper before the service. */
const oom_score_adj = "900";

export async function main(): Promise<void> {
  yieldToOthers();
  process.stdin
    .on("end", () => {
      process.stderr.write("its input ended: the service is gone\n");
      process.exit(1);
    })
    .resume();
  try {
    const job = Job.parse(JSON.parse(process.argv.at(-1) ?? ""));
    say({ result: await run(job) });
    process.exit(0);
  } catch (error) {
    say({ error: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}

function yieldToOthers(): void {
  // nobody may take a niceness back that he was given (setpriority(2): EACCES)
  if (getPriority() < niceness) setPriority(niceness);
  try {
    writeFileSync("/proc/self/oom_score_adj", oom_score_adj);
  } catch {
    // not everywhere: then it is taken like the rest
  }
}

async function run(job: Job): Promise<JobResults[Job["do"]]> {
  switch (job.do) {
    case "backup":
      return await makeBackup(job);
    case "verify":
      return verifyBackup(backupIn(job.folder, job.name), job.name);
    case "stage":
      return stage(job);
    case "cool":
      return writeCold(job, ifStillWanted);
    case "rewrite":
      return rewriteSegment(job, ifStillWanted);
    case "salvage":
      return salvage(job, ifStillWanted);
    case "export":
      return exportMemories(job);
    case "train":
      return trainIn(job);
    case "import":
      return await checkImport(job);
  }
}

/**
 * The end of stdin is not heard while a file is being written: nobody reads stdout any more when the service is gone, and then this
 * ends. A segment that got its name later would be one of the next service's that has looked at them already.
 */
function ifStillWanted(): void {
  say({ progress: { done: 1, of: 1 } });
}

function say(line: ReturnType<typeof JobLine.parse>): void {
  try {
    writeSync(1, `${JSON.stringify(line)}\n`);
  } catch {
    // the service is gone: nobody wants to know
    process.exit(1);
  }
}

if (import.meta.main) await main();
