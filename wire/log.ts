/**
 * A service's own log: pino lines on stdout, which PID 1 captures. pino is loaded at the first line, because most
 * services have nothing to say while they start, and loading it is a third of what starting takes.
 */

import type { Logger } from "pino";

export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export function createLog(): Log {
  let loaded: Logger | null = null;
  const logger = (): Logger => {
    loaded ??= openLogger();
    return loaded;
  };
  return {
    info: (message, fields = {}) => logger().info(fields, message),
    warn: (message, fields = {}) => logger().warn(fields, message),
    error: (message, fields = {}) => logger().error(fields, message),
  };
}

function openLogger(): Logger {
  const { pino } = require("pino") as typeof import("pino");
  return pino({ base: null }, pino.destination({ fd: 1, sync: true }));
}
