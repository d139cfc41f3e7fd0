/**
 * Brings a decided restore to its end, and is killed before the step with the given number, counted from 0:
 * `bun memory/upkeep/testing/killed-restore.ts <folder> <number>`
 */

import { finishRestore } from "../backup/restore.ts";

const [folder = "", number = "0"] = process.argv.slice(2);
let step = 0;
finishRestore(folder, () => {
  if (step === Number(number)) process.kill(process.pid, "SIGKILL");
  step += 1;
});
