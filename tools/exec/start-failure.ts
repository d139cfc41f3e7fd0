/** When it was not the program that failed, but its start. */

import { ToolError } from "../tool.ts";
import type { Command, Finished } from "./exec.ts";

/** launch.c says with these, and one JSON line, that the program did not come to run; bubblewrap with 1 and its name. */
const launch_failures: readonly (number | null)[] = [120, 121, 122];
/**
 * Of bubblewrap's bind-mount.c: mount(2) with MS_REMOUNT of what is no mount (any more) ends with EINVAL, and with ENOENT where the
 * folder is gone, too (a stage of another program always takes its folder with it).
 */
const mount_went = /^bwrap: .*Unable to apply mount flags: remount "[^\n]*": (Invalid argument|No such file or directory)/;
/** Of making a sandbox while mounts come and go. */
const tries_max = 5;
export const stderr_shown_chars = 800;
const argv_shown_chars = 200;

/** A sandbox could not be made because a mount was gone by the time that bwrap came to it. */
class MountWent extends ToolError {}

/** @throws {ToolError} */
export function refuseFailedStart(command: Command, { status, stderr }: Pick<Finished, "status" | "stderr">): void {
  const text = Buffer.from(stderr).toString("utf8");
  const [last] = text.trimEnd().split("\n").slice(-1);
  const cause = launch_failures.includes(status) && last?.startsWith('{"launch":') === true ? launchWords(last) : null;
  if (cause !== null) throw new ToolError(`starting ${shown(command)} failed: ${cause}`);
  if (status !== 1 || command.sandbox === "none" || !text.startsWith("bwrap: ")) return;
  const Failure = mount_went.test(text) ? MountWent : ToolError;
  throw new Failure(`starting ${shown(command)} failed: its sandbox could not be made: ${text.slice(7, 7 + stderr_shown_chars).trim()}`);
}

function launchWords(line: string): string {
  const what = /"launch":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? "launch";
  const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? "unknown";
  return `${what}: ${error}`;
}

/**
 * bwrap takes over the mounts of the root one after the other. When somebody unmounts one of them in the middle of that it gives
 * up, and the program has not begun: it is begun anew.
 */
export async function whileMountsGo<T>(begin: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await begin();
    } catch (error) {
      if (!(error instanceof MountWent) || tries === tries_max) throw error;
    }
  }
}

export function shown({ argv }: Command): string {
  return JSON.stringify(argv.join(" ").slice(0, argv_shown_chars));
}
