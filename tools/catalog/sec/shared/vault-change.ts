/** What all tools that change the vault have in common: the before-image, the way back, and whom it concerns. */

import { z } from "zod";
import type { DefinedService } from "../../../../contracts/config.ts";
import type { Context } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { KeptFile } from "../../../undo/images.ts";
import { handOut, namedOf } from "../../../vault/handout.ts";
import { type Opened, VaultKind, VaultName, type VaultRecord } from "../../../vault/record.ts";
import { handToTiers } from "../../../vault/tier.ts";
import type { Draft, Named } from "../../../vault/vault.ts";
import { words } from "../../../vault/vault.ts";
import { change } from "../../service/shared/pid1.ts";

export const name_input = VaultName.describe("its name");

/** The sealed file as it was; null: there was none. */
export const VaultBefore = z.lazy(() =>
  z.strictObject({
    kind: VaultKind,
    name: VaultName,
    file: KeptFile.nullable(),
    /** Services that are started again by the change, and so by its undo. */
    restarts: z.array(z.string()),
  }),
);
export type VaultBefore = z.infer<typeof VaultBefore>;

export async function lookBefore(named: Named, restarts: readonly string[], { vault, images }: Context): Promise<VaultBefore> {
  const file = vault.file(named);
  return { ...named, file: file === null ? null : await images.keepBytes(file), restarts: [...restarts] };
}

/** Done twice is done once; whatever half of the change was done. */
export async function bringBack({ kind, name, file, restarts }: VaultBefore, context: Context): Promise<void> {
  const named = { kind, name };
  const bytes = file === null ? null : context.images.read(file);
  const is = context.vault.file(named);
  const changed = bytes === null ? is !== null : is === null || !is.equals(bytes);
  if (changed) await context.vault.bringBack(named, bytes);
  await handAgain(named, context, "what-opens");
  if (changed) await restartAll(restarts, context);
}

/** @throws {ToolError} unless its file is the very same as before */
export function verifyBefore({ kind, name, file }: VaultBefore, { vault, images }: Context): void {
  const is = vault.file({ kind, name });
  const same = file === null ? is === null : is?.equals(images.read(file)) === true;
  if (!same) throw new ToolError(`verifying ${words({ kind, name })} failed: it is not what it was before`);
}

/**
 * Whether its newest change is that of the call; then what may be missing of it is that services were given it, and that is
 * made up for. Whether they were started again is not known: a call that was to do so is taken back.
 */
export async function isChangedBy({ kind, name, restarts }: VaultBefore, call: string, context: Context): Promise<boolean> {
  const named = { kind, name };
  if (restarts.length > 0 || changerOf(named, context) !== call) return false;
  await handAgain(named, context);
  return true;
}

function changerOf(named: Named, { vault }: Context): string | null {
  try {
    return vault.record(named)?.changed_by ?? null;
  } catch {
    return null;
  }
}

export interface User {
  readonly service: string;
  readonly definition: DefinedService;
}

/** Services that were defined, by PID 1's word; none while it is not connected: then nothing runs that could get anything. */
export async function definedServices({ init }: Pick<Context, "init">): Promise<User[]> {
  return (await init?.call("service.defined", {})) ?? [];
}

export function usersAmong(all: readonly User[], { kind, name }: Named): User[] {
  return all.filter(({ definition }) => namedOf(definition).some((one) => one.kind === kind && one.name === name));
}

/** Services that get it. */
export async function userNames(named: Named, context: Pick<Context, "init">): Promise<string[]> {
  return usersAmong(await definedServices(context), named)
    .map(({ service }) => service)
    .sort();
}

/** Gives what is in force now to all services that get it; they see it when they look the next time. */
export async function handAgain(named: Named, context: Context, how: "all" | "what-opens" = "all"): Promise<string[]> {
  const [trouble] = handToTiers(context);
  if (trouble !== undefined && how === "all") throw new ToolError(trouble);
  const users = usersAmong(await definedServices(context), named);
  for (const { service, definition } of users) handOut(service, definition.uid, definition, context, how);
  return users.map(({ service }) => service).sort();
}

/** @throws {ToolError} when one does not come up again */
async function restartAll(services: readonly string[], context: Context): Promise<void> {
  for (const service of services) {
    const { state, reason } = await change("restart", service, context);
    if (state !== "ready") throw new ToolError(`restarting the service "${service}" failed: ${reason}`);
  }
}

/** The services that run and are to be started again. */
export async function restartsOf(named: Named, restart: boolean, context: Context): Promise<string[]> {
  if (!restart) return [];
  const users = await userNames(named, context);
  const statuses = (await context.init?.call("service.list", {})) ?? [];
  return users.filter((service) => statuses.some(({ name, state }) => name === service && state !== "stopped" && state !== "stopping"));
}

export const kept_output = {
  version: z.number().int().describe("of the value in use"),
  sealed_by: z
    .enum(["tpm", "file"])
    .describe("tpm: it opens on this machine alone. file: there is no TPM, and who has the whole disk can open it"),
  services: z.array(z.string()).describe("services that get it"),
  restarted: z.array(z.string()).describe("those of them that were started again; the others see it when they read the file the next time"),
};

/** Keeps it and hands it on. */
export async function keepAndHand(draft: Draft, versions: readonly Opened[], restarts: readonly string[], context: Context) {
  const record = await context.vault.keep(draft, versions);
  const services = await handAgain(draft, context);
  await restartAll(restarts, context);
  const { sealed_by } = context.vault;
  if (sealed_by === null) throw new Error("a value was kept, and its key is not there; this is a defect");
  return { record, answer: { version: versions.at(-1)?.version ?? 0, sealed_by, services, restarted: [...restarts] } };
}

/** That what was kept opens again. @throws {ToolError} */
export function verifyKept(named: Named, version: number, { vault }: Pick<Context, "vault">): void {
  vault.value(named, version);
}

export function existing(about: string, named: Named, { vault }: Pick<Context, "vault">): VaultRecord {
  const record = vault.record(named);
  if (record === null) throw new ToolError(`${about} ${words(named)} failed: there is none; sec.secret_list names those that there are`);
  return record;
}
