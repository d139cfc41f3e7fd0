/**
 * The executable of the integration tests: the real PID 1 and the real services, and in PID 1 one more phase, which does
 * what the file "test-fault" in the data folder names. Never in an image.
 */

import { readFileSync } from "node:fs";
import { data_dir } from "../../contracts/paths.ts";
import { phases } from "../boot/phases.ts";
import { becomePid1 } from "../main.ts";
import { fault } from "./faults.ts";
import { say } from "./say.ts";

function wanted(): string {
  try {
    return readFileSync(`${data_dir}/test-fault`, "utf8").trim();
  } catch {
    return "";
  }
}

if (process.argv[2] === "say") void say(process.argv.slice(3));
else if (process.argv[2] === "init") void becomePid1({ phases: [...fault(wanted()), ...phases] });
else void import("../../main.ts");
