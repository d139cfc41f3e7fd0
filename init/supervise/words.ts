/** What is said about services. */

import type { Severity } from "../../contracts/event.ts";
import type { ExitReason, ServiceState } from "../../contracts/service.ts";

/** `ended with status 3`, `ended by SIGKILL (hang)` */
export function exitText({ status, signal, cause }: ExitReason): string {
  const how = signal !== null ? `ended by ${signal}` : `ended with status ${status ?? "unknown"}`;
  return cause === null ? how : `${how} (${cause})`;
}

export function severityOf(to: ServiceState, failed: boolean): Severity {
  if (to === "crash-loop") return "error";
  if (to === "backoff" || (to === "stopping" && failed)) return "warning";
  return "info";
}
