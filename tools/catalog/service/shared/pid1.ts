/** What PID 1 runs, and asking it. */

import { core_services, type ServiceStatus } from "../../../../contracts/service.ts";
import type { Context } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { forPid1, type Stored } from "./definition.ts";

type Asks = Pick<Context, "init" | "principal" | "call" | "places">;

/** Services of the image that are no role of ours (init/boot/programs.ts). */
const image_services: readonly string[] = ["chronyd", "dhcpcd"];

/** Whether it is one of the system's own. */
export function isCore(name: string): boolean {
  return (core_services as readonly string[]).includes(name) || image_services.includes(name);
}

/** Milliseconds: PID 1 answers a start when the service is ready or has failed, after a minute in any case. */
const change_limit_ms = 75_000;

/** @throws {ToolError} when it is not connected, or says no */
export async function ask<T>(
  about: string,
  { init }: Pick<Context, "init">,
  work: (call: NonNullable<Context["init"]>["call"]) => Promise<T>,
): Promise<T> {
  if (init === null) throw new ToolError(`${about} failed: PID 1 is not connected; try again in a moment`);
  try {
    return await work(init.call.bind(init));
  } catch (error) {
    throw new ToolError(`${about} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export async function allStatuses(context: Asks): Promise<readonly ServiceStatus[]> {
  return await ask("listing services", context, (call) => call("service.list", {}));
}

/** @returns null when PID 1 knows no such service */
export async function statusOf(name: string, context: Asks): Promise<ServiceStatus | null> {
  return (await allStatuses(context)).find((status) => status.name === name) ?? null;
}

export async function change(what: "start" | "stop" | "restart", name: string, context: Asks): Promise<ServiceStatus> {
  const params = { service: name, why: why(`service.${what}`, context) };
  return await ask(`to ${what} the service "${name}"`, context, (call) => call(`service.${what}`, params, change_limit_ms));
}

/** Gives PID 1 the definition; a running process keeps the one that it was started with. */
export async function define(name: string, stored: Stored, context: Asks): Promise<void> {
  const params = { service: name, definition: forPid1(name, stored, context), why: why("service.define", context) };
  await ask(`defining the service "${name}"`, context, (call) => call("service.define", params));
}

/** Does nothing when PID 1 does not have it. */
export async function remove(name: string, context: Asks): Promise<void> {
  if ((await statusOf(name, context)) === null) return;
  const params = { service: name, why: why("service.remove", context) };
  await ask(`removing the service "${name}"`, context, (call) => call("service.remove", params, change_limit_ms));
}

function why(what: string, { principal, call }: Asks) {
  return { who: principal, reason: `${what} (${call})` };
}

/** Somebody wants it to run. */
export function isWanted(status: ServiceStatus | null): boolean {
  return status !== null && status.state !== "stopped" && status.state !== "stopping";
}
