/**
 * The clock: never before the image was built nor before what this machine has lived through; by the battery clock when
 * that is sane; by NTP later (programs.ts). And it is watched, because a step breaks what others compute from it.
 */

import { closeSync, existsSync, openSync, statSync, utimesSync } from "node:fs";
import { data_dir, lib_dir } from "../../contracts/paths.ts";
import { lossWatch, syncWatch } from "./clock-sync.ts";
import { names, readText, reasonOf } from "./files.ts";
import type { BootContext, Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

const release_file = `${lib_dir}/release.json`;
const clock_file = `${data_dir}/clock`;
const keep_interval_ms = 60 * 60_000;
/** A battery clock further ahead of the floor than this is not believed. */
const ahead_s_max = 20 * 365 * 86_400;
/** A difference below this is not worth a step. */
const step_worth_ms = 1000;
const look_interval_ms = 1000;
const step_told_ms = 500;

export const clock: Phase = {
  name: "clock",
  what: "A time that is sane, from the battery clock or else from the image's build",
  modes: "machine",
  limit_ms: 5000,
  run: async (boot) => {
    const floor_s = Math.max(builtAt(readText(release_file) ?? ""), keptTime(clock_file));
    const device = rtcDevice();
    const rtc_s = device === null ? null : readRtc(boot, device);
    const now_ms = boot.sys.clock.nowMs("realtime");
    const choice = chooseTime({ now_ms, floor_s, rtc_s });
    if (choice.set_ms !== null) boot.sys.clock.set(choice.set_ms);
    boot.state.clock.from = choice.from;
    boot.onShutdown("keep the time", () => keepTime(boot, device));
    setInterval(() => keepTime(boot, device), keep_interval_ms).unref();
    const time = new Date(boot.sys.clock.nowMs("realtime")).toISOString();
    if (choice.doubt === null) return done(`${time}, ${choice.from}`);
    return degraded(
      "clock",
      `${choice.doubt}: the clock starts at ${time}, ${choice.from}`,
      "give network.ntp in aios.yaml a time server, or replace the clock's battery",
    );
  },
};

interface TimeFacts {
  /** What the kernel has now, milliseconds since 1970. */
  readonly now_ms: number;
  /** It cannot be earlier than this, seconds. */
  readonly floor_s: number;
  /** The battery clock, seconds; null when there is none or it holds no time. */
  readonly rtc_s: number | null;
}

interface TimeChoice {
  /** Null: the kernel's own is right. */
  readonly set_ms: number | null;
  readonly from: string;
  readonly doubt: string | null;
}

export function chooseTime({ now_ms, floor_s, rtc_s }: TimeFacts): TimeChoice {
  const sane = (time_s: number): boolean => time_s >= floor_s && time_s <= floor_s + ahead_s_max;
  const worth = (time_s: number): number | null => (Math.abs(time_s * 1000 - now_ms) >= step_worth_ms ? time_s * 1000 : null);
  if (rtc_s !== null && sane(rtc_s)) return { set_ms: worth(rtc_s), from: "by the battery clock", doubt: null };
  const doubt =
    rtc_s === null ? "there is no battery clock (RTC)" : `the battery clock says ${new Date(rtc_s * 1000).toISOString()}, which cannot be`;
  if (sane(now_ms / 1000)) return { set_ms: null, from: "as the kernel has it", doubt };
  return { set_ms: worth(floor_s), from: "the latest time that this machine knows of", doubt };
}

function readRtc(boot: BootContext, device: string): number | null {
  try {
    return boot.sys.clock.readRtc(device);
  } catch (error) {
    boot.log("notice", reasonOf(error));
    return null;
  }
}

function rtcDevice(): string | null {
  const name = names("/sys/class/rtc")[0];
  return name !== undefined && existsSync(`/dev/${name}`) ? `/dev/${name}` : null;
}

/** `built_s` of release.json; 0 when it is not there. */
export function builtAt(release: string): number {
  return Number(/"built_s"\s*:\s*(\d{1,11})\b/.exec(release)?.[1] ?? 0);
}

/** The file's own time is what it says. */
function keptTime(path: string): number {
  try {
    return Math.floor(statSync(path).mtimeMs / 1000);
  } catch {
    return 0;
  }
}

/** Writes the time where the next boot finds it. Never throws. */
function keepTime(boot: BootContext, device: string | null): void {
  const now_ms = boot.sys.clock.nowMs("realtime");
  try {
    if (device !== null) boot.sys.clock.writeRtc(device, Math.round(now_ms / 1000));
  } catch (error) {
    boot.log("notice", reasonOf(error));
  }
  try {
    if (boot.state.data.persistent) touch(clock_file, now_ms);
  } catch (error) {
    boot.log("notice", `keeping the time in "${clock_file}" failed: ${reasonOf(error)}`);
  }
}

function touch(path: string, time_ms: number): void {
  closeSync(openSync(path, "a", 0o644));
  utimesSync(path, time_ms / 1000, time_ms / 1000);
}

export const clockWatch: Phase = {
  name: "clock watch",
  what: "Notices when the time jumps, and when a time server keeps it",
  modes: "both",
  limit_ms: 1000,
  run: async (boot) => {
    const lookForStep = stepDetector(boot);
    const lookForLoss = lossWatch(boot);
    const lookForSync = syncWatch(boot, () => {
      if (boot.mode === "machine") keepTime(boot, rtcDevice());
    });
    let may_ask = true;
    setInterval(() => {
      const by_ms = lookForStep();
      try {
        if (may_ask) lookForSync();
        lookForLoss(by_ms);
      } catch (error) {
        may_ask = false; // some containers forbid the question
        boot.log("notice", `whether the clock is synchronised cannot be known: ${reasonOf(error)}`);
      }
    }, look_interval_ms).unref();
    return done(`told from ${step_told_ms} ms on`);
  },
};

/**
 * Real time minus time since boot stays the same, unless someone sets the clock (slewing changes it by 0.5 ms a second at most).
 * @returns looks, and gives the milliseconds of the step that it has told; null: none
 */
export function stepDetector(boot: Pick<BootContext, "sys" | "emit">): () => number | null {
  const offset = (): number => boot.sys.clock.nowMs("realtime") - boot.sys.clock.nowMs("boottime");
  let before = offset();
  return () => {
    const now = offset();
    const by_ms = now - before;
    before = now;
    if (Math.abs(by_ms) > step_told_ms)
      boot.emit("clock.step", Math.abs(by_ms) > 60_000 ? "warning" : "notice", { by_ms: Math.round(by_ms) });
    return Math.abs(by_ms) > step_told_ms ? Math.round(by_ms) : null;
  };
}
