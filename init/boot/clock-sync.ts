/**
 * Whether the clock is kept by NTP. The kernel knows: chronyd sets and clears its mark "not synchronised" (adjtimex(2),
 * `rtcsync` in chrony.conf). When it becomes right, what a wrong clock had caused is put right as well.
 */

import type { BootContext } from "./phase.ts";
import { chronyd } from "./programs.ts";

/** Without a word from any time server for so long, people should know. A machine that boots offline is not in trouble at once. */
const patience_ms = 10 * 60_000;

/** Called again and again. @param keep writes the time to where the next boot finds it */
export function syncWatch(boot: Pick<BootContext, "sys" | "state" | "emit" | "log" | "degrade">, keep: () => void): () => void {
  let waiting_since_ms: number | null = null;
  return () => {
    const { clock } = boot.state;
    const before = clock.synchronised;
    const { synchronised, error_ms } = boot.sys.clock.synchronisation();
    clock.synchronised = synchronised;
    clock.error_ms = synchronised ? error_ms : null;
    if (synchronised) waiting_since_ms = null;
    if (synchronised && !before) {
      boot.emit("clock.sync", "notice", { synchronised, error_ms });
      boot.degrade("clock", null);
      boot.degrade("time", null);
      keep();
    } else if (!synchronised && before) boot.emit("clock.sync", "warning", { synchronised, error_ms });
    if (synchronised || clock.servers.length === 0) return;
    const now_ms = boot.sys.clock.nowMs("boottime");
    waiting_since_ms ??= now_ms;
    if (now_ms - waiting_since_ms < patience_ms) return;
    const minutes = Math.floor((now_ms - waiting_since_ms) / 60_000);
    boot.degrade("time", {
      what: "time",
      detail: `the clock is not synchronised: no answer that can be used from ${clock.servers.join(", ")} for ${minutes} minutes`,
      todo: "check the network and network.ntp in aios.yaml; `aiosctl logs chronyd` says more",
    });
  };
}

/**
 * Tells a step after which a clock that was kept is kept no longer. Whoever sets it makes the kernel forget that it is kept
 * (clock_settime(2) clears the state of NTP), and chronyd says so again only when it has heard from its servers: it may step at a
 * start, when nothing is lost. So it counts how the clock was at the looks before, and how it is a moment later.
 * @returns to be called after each look at both, with the step that was seen
 */
export function lossWatch(boot: Pick<BootContext, "state" | "emit">): (by_ms: number | null) => void {
  let stepped_ms: number | null = null;
  // a step may have come between the look at steps and that at the kernel's mark
  let [kept_before, kept] = [false, false];
  return (by_ms) => {
    const { synchronised, servers } = boot.state.clock;
    if (stepped_ms !== null && !synchronised && servers.length > 0)
      boot.emit("clock.lost", "warning", { by_ms: stepped_ms, service: chronyd });
    stepped_ms = kept || kept_before ? by_ms : null;
    [kept_before, kept] = [kept, synchronised];
  };
}
