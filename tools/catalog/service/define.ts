/** service.define */

import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { ServiceStatus } from "../../../contracts/service.ts";
import type { Resource } from "../../../contracts/tool.ts";
import { isSysError } from "../../../sys/errors.ts";
import type { Context } from "../../context.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { showCurrent } from "../pkg/shared/mounts.ts";
import { Before, bringBack, lookBefore, verifyBefore } from "./shared/before.ts";
import { Definition, forPid1, rootPath, serviceFolder } from "./shared/definition.ts";
import { makeServiceFolder, removeIfEmpty } from "./shared/folder.ts";
import { handedResources, handTo } from "./shared/handed.ts";
import { lastWords } from "./shared/log-lines.ts";
import { allStatuses, change, define, isCore, isWanted, statusOf } from "./shared/pid1.ts";
import { attributesOf, name_input } from "./shared/resource.ts";
import { keepStored, readStored, uidOf } from "./shared/store.ts";

/** Milliseconds that a program has to stay up before its service counts as started. */
const stays_up_ms = 500;

const refused_variable = /^(LD_|GLIBC_|GCONV_PATH$|NOTIFY_SOCKET$|WATCHDOG_)/;

const Input = z.lazy(() =>
  z.strictObject({
    name: name_input,
    ...Definition.shape,
    start: z.boolean().default(true).describe("start it now (when it runs already: restart it), and fail when it does not stay up"),
    enabled: z.boolean().default(true).describe("start it at each boot"),
  }),
);
type Input = z.infer<typeof Input>;

export const serviceDefine = defineTool({
  name: "service.define",
  title: "Define a service",
  description:
    "Makes a service of a program, or changes one that was defined before: PID 1 keeps it running, starts it at each boot, restarts it when it fails, limits it and holds its log. It runs in a sandbox with a uid of its own, no capabilities, a read-only root and its own folder /var/lib/aios/services/NAME. Secrets and certificates of the vault are handed to it as files, if their owner lets it have them. Use process.spawn for what runs once; service.disable so that it does not start at boot; service.remove to be rid of it. The system's own services cannot be changed with it.",
  input: Input,
  output: z.lazy(() =>
    z.strictObject({
      status: ServiceStatus.nullable(),
      uid: z.number().int(),
      folder: z.string().describe("where it may write"),
      created: z.boolean(),
    }),
  ),
  risk: "reversible",
  timeout_ms: 150_000,
  idempotent: true,
  tainted: false,
  image: Before.extend({ folder: z.boolean().describe("its own folder was there") }),
  resolve,
  preview: (_target, input, context) => ({
    changes: [
      `the service "${input.name}" ${readStored(input.name, context) === null ? "is made" : "is changed"}: ${JSON.stringify(input.argv)}${input.root === null ? "" : ` in "${input.root}"`}`,
      `it has ${input.network ? "the system's network" : "no network"}${input.start ? ", and is started now" : ""}${input.enabled ? ", and at each boot" : ""}`,
    ],
    final: input.writes.map((path) => `what it changes in ${path} while it runs`),
  }),
  async snapshot(_target, { name }, context) {
    return { ...(await lookBefore(name, context)), folder: folderExists(name, context) };
  },
  async run(_target, input, context) {
    const { name, start, enabled, ...definition } = input;
    const before = readStored(name, context);
    const uid = uidOf(name, context);
    const folder = makeServiceFolder(name, uid, context);
    const stored = { definition, uid, enabled, owner: before?.owner ?? context.principal };
    handTo(name, stored, context);
    keepStored(name, stored, context);
    await define(name, stored, context);
    const running = isWanted(await statusOf(name, context));
    if (start) await change(running ? "restart" : "start", name, context);
    if (start) await Bun.sleep(stays_up_ms);
    return { status: await statusOf(name, context), uid, folder, created: before === null };
  },
  async verify(_target, { name, start, restart }, { status }, context) {
    if (status === null) throw new ToolError(`verifying the service "${name}" failed: PID 1 does not have it`);
    const has_ended = status.state === "stopped" && restart !== "always" && (status.last_exit?.status === 0 || restart === "never");
    if (start && status.state !== "ready" && !has_ended)
      throw new ToolError(`starting the service "${name}" failed: ${status.reason}; ${await lastWords(name, context)}`);
  },
  async settled(_image, { input }, context) {
    const { name, start, enabled, ...definition } = input;
    const stored = readStored(name, context);
    const known = await definedByPid1(name, context);
    if (stored === null || stored.enabled !== enabled || !isDeepStrictEqual(stored.definition, definition)) return false;
    if (!isDeepStrictEqual(known, forPid1(name, stored, context))) return false;
    return !start || (await statusOf(name, context))?.state === "ready";
  },
  async undo(image, _past, context) {
    await bringBack(image, context);
    if (!image.folder) removeIfEmpty(image.name, context);
  },
  verifyUndone: (image, _past, context) => verifyBefore(image, context),
});

async function definedByPid1(name: string, { init }: Context) {
  return (await init?.call("service.defined", {}))?.find(({ service }) => service === name)?.definition;
}

async function resolve(input: Input, context: Context): Promise<Target> {
  const { name, start: _start, enabled, ...definition } = input;
  const about = `defining the service "${name}" failed`;
  const stored = readStored(name, context);
  const statuses = new Map((await allStatuses(context)).map((one) => [one.name, one]));
  const status = statuses.get(name) ?? null;
  for (const before of input.after)
    if (!statuses.has(before) || before === name)
      throw new ToolError(
        `${about}: it comes after "${before}": ${before === name ? "that is itself" : "there is no such service"}; service.list names them`,
      );
  if (isCore(name) || (stored === null && status !== null && (await definedByPid1(name, context)) === undefined))
    throw new ToolError(`${about}: the system has a service of this name, which is not changed here; choose another name`);
  for (const variable of Object.keys(input.env))
    if (refused_variable.test(variable))
      throw new ToolError(`${about}: the variable "${variable}" is PID 1's or the loader's; leave it out`);
  const [first = ""] = input.argv;
  if (!first.startsWith("/")) throw new ToolError(`${about}: its program "${first}" is not an absolute path`);
  const opened: Occupied[] = [];
  const open = (path: string): Occupied => {
    const place = openExisting(context, path, "follow");
    opened.push(place);
    return place;
  };
  try {
    const known = { core: false, defined: stored !== null, exists: status !== null, ...(stored && { owner: stored.owner }) };
    const attributes = { ...attributesOf(definition), ...known, enabled };
    const resources: Resource[] = [{ kind: "service", id: name, access: "write", attributes }];
    if (input.root === "userland") await showCurrent(context);
    const root = rootPath(input, context);
    if (root === null) resources.push(...resourcesOf(executable(open(first), first), "execute"));
    else resources.push(...programIn(open(root), first, context));
    for (const path of input.writes) resources.push(...resourcesOf(canonical(open(path), path), "write", { recursive: true }));
    resources.push(...handedResources(name, definition, context));
    return { resources };
  } finally {
    for (const place of opened) place.close();
  }
}

/** PID 1 resolves the path at each start: it has to be the one that was authorised, without links on its way. */
function canonical(place: Occupied, path: string): Occupied {
  if (place.path === path) return place;
  throw new ToolError(`resolving "${path}" failed: a link on its way leads to "${place.path}"; give that path`);
}

function executable(place: Occupied, path: string): Occupied {
  if (place.status.type === "file" && (place.status.mode & 0o111) !== 0) return place;
  throw new ToolError(`looking at the program "${path}" failed: it is no executable file`);
}

/** The program in a userland, as that sees it: no link leads out. */
function programIn(root: Occupied, path: string, { sys }: Context): Resource[] {
  const about = `looking at the program "${path}" in "${root.path}"`;
  const fd = openIn(root.fd, path, about, sys);
  try {
    const status = sys.file.status(fd);
    if (status.type !== "file" || (status.mode & 0o111) === 0) throw new ToolError(`${about} failed: it is no executable file`);
    const attributes = { type: status.type, mode: status.mode, uid: status.uid, root: root.path };
    return [
      ...resourcesOf(root, "read", { recursive: true }),
      { kind: "path", id: sys.file.pathOf(fd).toString(), access: "execute", attributes },
    ];
  } finally {
    sys.descriptor.close(fd);
  }
}

function openIn(root: number, path: string, about: string, sys: Context["sys"]): number {
  try {
    return sys.file.open(root, path, ["path"], ["in-root", "no-magiclinks"]);
  } catch (error) {
    if (isSysError(error, "ENOENT") || isSysError(error, "ENOTDIR")) throw new ToolError(`${about} failed: there is nothing (ENOENT)`);
    throw error;
  }
}

function folderExists(name: string, context: Context): boolean {
  try {
    context.sys.file.statusAt("cwd", serviceFolder(name, context));
    return true;
  } catch {
    return false;
  }
}
