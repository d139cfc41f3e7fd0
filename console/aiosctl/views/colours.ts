/** Which colour a state has, the same everywhere. */

import type { Decision } from "../../../contracts/decision.ts";
import type { Severity } from "../../../contracts/event.ts";
import type { PhaseRecord, SystemStatus } from "../../../contracts/init.ts";
import type { ServiceState } from "../../../contracts/service.ts";
import type { Colour } from "../text/style.ts";

export const system_colours: Readonly<Record<SystemStatus["state"], Colour>> = {
  booting: "cyan",
  running: "green",
  degraded: "yellow",
  maintenance: "red",
  stopping: "magenta",
};

export const service_colours: Readonly<Record<ServiceState, Colour>> = {
  stopped: "grey",
  waiting: "cyan",
  starting: "cyan",
  ready: "green",
  stopping: "magenta",
  backoff: "yellow",
  "crash-loop": "red",
};

export const severity_colours: Readonly<Record<Severity, Colour>> = {
  debug: "grey",
  info: "dim",
  notice: "cyan",
  warning: "yellow",
  error: "red",
  critical: "red",
};

export const outcome_colours: Readonly<Record<Decision["outcome"]["result"], Colour>> = {
  pending: "cyan",
  done: "green",
  refused: "magenta",
  failed: "red",
  suppressed: "grey",
  overridden: "red",
};

export const phase_colours: Readonly<Record<PhaseRecord["outcome"], Colour>> = {
  running: "cyan",
  done: "green",
  degraded: "yellow",
  failed: "red",
};
