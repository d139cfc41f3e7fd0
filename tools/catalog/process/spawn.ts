/** process.spawn */

import { z } from "zod";
import { SecretName } from "../../../contracts/config.ts";
import type { Resource, Risk } from "../../../contracts/tool.ts";
import { isSysError } from "../../../sys/errors.ts";
import type { Context } from "../../context.ts";
import type { Command, Finished } from "../../exec/exec.ts";
import { answerText } from "../../exec/output.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { handedResource } from "../../vault/resources.ts";
import { timeText } from "../fs/shared/fields.ts";
import { showCurrent } from "../pkg/shared/mounts.ts";
import { consumerOf, type HandedSecrets, handSecrets, withoutSecrets } from "./shared/handed.ts";
import { dropProgram, keepProgram, programOf, runningPrograms } from "./shared/programs.ts";
import { sandbox_profiles, uidOf } from "./shared/sandboxes.ts";

const mib = 1024 * 1024;
const timeout_ms_max = 600_000;
const background_max = 32;
/** Each of two streams, so that an answer fits into a frame. */
const stream_json_chars_max = 32_000;
const stream_bytes = 64 * 1024;

const Text = z
  .string()
  .max(4096)
  .regex(/^[^\0]*$/, "a text without zero bytes");
const Path = z.string().min(1).max(4095).startsWith("/", "an absolute path");
/** What changes how a program is loaded, or what a runtime runs, is no setting. */
const refused_variable = /^(LD_|GLIBC_|GCONV_PATH$|BUN_|NODE_|PYTHON|PERL|RUBY|BASH_ENV$|ENV$|IFS$)/;
const Variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "a variable's name: a letter or _, then up to 63 letters, digits and _");

const Handed = z.lazy(() =>
  z.strictObject({
    name: SecretName.describe("the secret's name"),
    variable: Variable.nullable().default(null).describe("the variable in which it gets it; null: the file /run/secrets/NAME"),
  }),
);

const Input = z.lazy(() =>
  z.strictObject({
    argv: z
      .array(Text)
      .min(1)
      .max(64)
      .describe("the program's absolute path, then its arguments, each as it is: there is no shell, no expansion and no redirection"),
    sandbox: z
      .enum(["closed", "network", "observer"])
      .default("closed")
      .describe(
        "closed: no network. network: with the system's network. observer: no network, but it sees the system's processes, and has a user of its own",
      ),
    root: z
      .enum(["system", "userland"])
      .default("system")
      .describe("what it sees as /: the system's own root, or the current generation of the Debian into which pkg.install installs"),
    reads: z
      .array(Path)
      .max(16)
      .default([])
      .describe("files and folders that it may read besides the read-only root; they appear under their own paths"),
    writes: z
      .array(Path)
      .max(16)
      .default([])
      .describe(
        "files and folders that it may change, as far as their owner lets user 890 (tools); undo does not bring these changes back",
      ),
    cwd: Path.default("/").describe("its working folder, as it sees it"),
    env: z
      .record(Variable, Text)
      .default({})
      .describe("variables besides PATH, HOME and LANG; those that load code (LD_PRELOAD, …) are refused"),
    secrets: z
      .array(Handed)
      .max(8)
      .default([])
      .describe(
        "secrets of the vault that it gets, if their owner lets this argument vector have them; not for programs in the background",
      ),
    stdin: z.string().max(65_536).nullable().default(null).describe("what it reads from stdin; not for programs in the background"),
    timeout_ms: z
      .number()
      .int()
      .min(1)
      .max(timeout_ms_max)
      .default(60_000)
      .describe("it is killed after this; not for programs in the background"),
    memory_max_bytes: z
      .number()
      .int()
      .min(4 * mib)
      .max(64 * 1024 * mib)
      .default(256 * mib)
      .describe("memory of it and all it starts"),
    pids_max: z.number().int().min(4).max(4096).default(64).describe("processes and threads of it and all it starts"),
    cpu_weight: z.number().int().min(1).max(1000).default(100).describe("share of the processor against other programs of tools"),
    background: z
      .boolean()
      .default(false)
      .describe(
        "leave it running and answer with a handle for process.info, process.signal and process.kill; it does not survive a reboot: for that use service.define",
      ),
  }),
);
type Input = z.infer<typeof Input>;

interface Places extends Target {
  /** Its path as it sees it, and what that is. */
  readonly path: string;
  readonly program: Occupied;
  /** The userland that it sees as its root. */
  readonly root: string | null;
  readonly reads: readonly Occupied[];
  readonly writes: readonly Occupied[];
}

export const processSpawn = defineTool({
  name: "process.spawn",
  title: "Run a program",
  description:
    "Runs one program with an argument vector in a sandbox: its own user, no capabilities, a read-only root, an empty /tmp, no network unless asked for, bounded memory, processes, time and output. Returns its exit status and what it wrote. With background: true it goes on running and the answer holds a handle. Use service.define for what has to run always and after a reboot; use the fs tools for files. Secrets of the vault are handed to it unseen, and taken out of what it answers. A status other than 0 is an answer and not a failure of the call.",
  input: Input,
  output: z.lazy(() =>
    z.strictObject({
      handle: z.string().nullable().describe("of a program in the background"),
      pid: z.number().int().nullable().describe("of a program in the background"),
      status: z.number().int().nullable().describe("exit status; null when a signal ended it or it still runs"),
      signal: z.string().nullable().describe("the signal that ended it"),
      ended_for: z.enum(["timeout", "cancelled"]).nullable().describe("why it was killed, when it was"),
      stdout: z.string().describe("the first of what it wrote"),
      stderr: z.string(),
      stdout_dropped_bytes: z.number().describe("bytes that are not in stdout"),
      stderr_dropped_bytes: z.number(),
      took_ms: z.number(),
      cpu_ms: z.number().nullable(),
      memory_peak_bytes: z.number().nullable(),
    }),
  ),
  risk: "irreversible",
  timeout_ms: timeout_ms_max + 15_000,
  idempotent: false,
  tainted: true,
  open_world: true,
  image: z.lazy(() => z.strictObject({ handle: z.string() })),
  resolve,
  /** What it changes in files or says to others is not brought back by killing it. */
  riskOf: ({ sandbox, writes }): Risk => (sandbox === "network" || writes.length > 0 ? "irreversible" : "compensable"),
  preview: ({ program, writes }, input) => ({
    changes: [
      `${JSON.stringify([program.path, ...input.argv.slice(1)])} runs in sandbox "${input.sandbox}"${input.background ? " and goes on" : ""}`,
      // an approval is for the program as it was seen: whatever changes it changes this
      `the program is the one of ${timeText(program.status.ctime_ns)}, ${program.status.size_bytes} bytes (inode ${program.status.inode})`,
      ...input.secrets.map(({ name }) => `it gets the secret "${name}"`),
    ],
    final: [
      ...writes.map(({ path }) => `what it changes in ${path}`),
      ...(input.sandbox === "network" ? ["what it says to others over the network"] : []),
    ],
  }),
  snapshot: (_target, _input, { call }) => ({ handle: call }),
  run: (target, input, context) => (input.background ? goOn(target, input, context) : runToEnd(target, input, context)),
  verify(_target, input, { handle }, context) {
    if (input.background && (handle === null || programOf(handle, context) === null))
      throw new ToolError("verifying the program in the background failed: nothing is known of it");
  },
  settled: ({ handle }, { input }, context) => input.background && programOf(handle, context)?.running === true,
  async undo({ handle }, _past, context) {
    await context.exec.endCall(handle);
    dropProgram(handle, context);
  },
  verifyUndone({ handle }, _past, context) {
    if (runningPrograms(context).has(handle))
      throw new ToolError(`verifying that the program of ${handle} has ended failed: it still runs`);
  },
});

async function resolve(input: Input, context: Context): Promise<Places> {
  const [path = ""] = input.argv;
  for (const name of [...Object.keys(input.env), ...input.secrets.flatMap(({ variable }) => variable ?? [])])
    if (refused_variable.test(name))
      throw new ToolError(`setting the variable "${name}" failed: it changes what code a program runs; leave it out`);
  if (input.background && input.stdin !== null)
    throw new ToolError("starting a program in the background with stdin failed: there is nobody who would write it; leave one out");
  if (input.background && input.secrets.length > 0)
    throw new ToolError("starting a program in the background with secrets failed: take service.define for what goes on");
  const root = input.root === "userland" ? await showCurrent(context) : null;
  const opened: Occupied[] = [];
  const open = (one: string): Occupied => {
    const place = openExisting(context, one, "follow");
    opened.push(place);
    return place;
  };
  const close = (): void => {
    for (const place of opened) place.close();
  };
  try {
    const program = open(root === null ? path : pathIn(root, path, context));
    if (program.status.type !== "file" || (program.status.mode & 0o111) === 0)
      throw new ToolError(`starting ${JSON.stringify(path)} failed: it is no executable file`);
    const [reads, writes] = [input.reads.map(open), input.writes.map(open)];
    const resources = [
      startOf(program.path, input, context),
      ...resourcesOf(program, "execute"),
      ...reads.flatMap((place) => resourcesOf(place, "read", { recursive: true })),
      ...writes.flatMap((place) => resourcesOf(place, "write", { recursive: true })),
      ...input.secrets.map(({ name }) => handedResource({ kind: "secret", name }, consumerOf(program.path, input), context.vault)),
    ];
    return { path: root === null ? program.path : program.path.slice(root.length), program, root, reads, writes, resources, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The process that will be, as policies see it. */
function startOf(program: string, { sandbox, background, writes }: Input, { call }: Context): Resource {
  const attributes = {
    program,
    sandbox,
    background,
    uid: uidOf(sandbox, call),
    network: sandbox === "network",
    writes: writes.length,
    core: false,
  };
  return { kind: "process", id: call, access: "execute", attributes };
}

/** Where a path of the userland leads, as that sees it: no link leads out. */
function pathIn(root: string, path: string, { sys }: Context): string {
  const folder = sys.file.open("cwd", root, ["path", "directory"]);
  try {
    const fd = sys.file.open(folder, path, ["path"], ["in-root", "no-magiclinks"]);
    try {
      return sys.file.pathOf(fd).toString();
    } finally {
      sys.descriptor.close(fd);
    }
  } catch (error) {
    if (isSysError(error, "ENOENT") || isSysError(error, "ENOTDIR"))
      throw new ToolError(`starting ${JSON.stringify(path)} failed: the userland has no such program; pkg.files lists those of a package`);
    throw error;
  } finally {
    sys.descriptor.close(folder);
  }
}

function commandOf(
  { path, program, root, reads, writes }: Places,
  input: Input,
  { call }: Context,
  handed: HandedSecrets | null = null,
): Command {
  const shown = (places: readonly Occupied[]): [number, string][] => places.map(({ fd, path }) => [fd, path]);
  return {
    argv: [path, ...input.argv.slice(1)],
    // the program itself too: what was authorised is what runs
    sandbox: {
      ...sandbox_profiles[input.sandbox],
      ...(root === null ? {} : { root }),
      uid: uidOf(input.sandbox, call),
      reads: [...shown(reads), [program.fd, path], ...(handed?.files ?? [])],
      writes: shown(writes),
    },
    cwd: input.cwd,
    env: { ...input.env, ...handed?.env },
    ...(input.stdin === null ? {} : { stdin: input.stdin }),
    limits: {
      timeout_ms: input.timeout_ms,
      memory_max_bytes: input.memory_max_bytes,
      pids_max: input.pids_max,
      cpu_weight: input.cpu_weight,
      output_bytes_max: stream_bytes,
    },
    stream: handed === null, // what a program says that was handed secrets is looked through before anybody sees it
  };
}

async function runToEnd(target: Places, input: Input, context: Context) {
  const handed = input.secrets.length === 0 ? null : handSecrets(input.secrets, uidOf(input.sandbox, context.call), context);
  let finished: Finished;
  try {
    finished = await context.exec.run(commandOf(target, input, context, handed));
  } finally {
    handed?.remove();
  }
  const [stdout, stderr] = [finished.stdout, finished.stderr].map((bytes) => answered(withoutSecrets(bytes, handed))) as [
    Answered,
    Answered,
  ];
  return {
    handle: null,
    pid: null,
    status: finished.status,
    signal: finished.signal,
    ended_for: finished.ended_for,
    stdout: stdout.text,
    stderr: stderr.text,
    stdout_dropped_bytes: finished.stdout_dropped_bytes + stdout.dropped_bytes,
    stderr_dropped_bytes: finished.stderr_dropped_bytes + stderr.dropped_bytes,
    took_ms: finished.took_ms,
    cpu_ms: finished.cpu_ms,
    memory_peak_bytes: finished.memory_peak_bytes,
  };
}

interface Answered {
  readonly text: string;
  readonly dropped_bytes: number;
}

function answered(bytes: Uint8Array): Answered {
  const { text, cut } = answerText(bytes, stream_json_chars_max, "first");
  return { text, dropped_bytes: cut ? Math.max(0, bytes.length - Buffer.byteLength(text)) : 0 };
}

async function goOn(target: Places, input: Input, context: Context) {
  const running = runningPrograms(context).size;
  if (running >= background_max)
    throw new ToolError(
      `starting a program in the background failed: ${running} run already, the most there may be; end one with process.kill`,
    );
  const started = await context.exec.start(commandOf(target, input, context));
  const record = {
    kept: started.kept,
    principal: context.principal,
    argv: input.argv.map((text) => text.slice(0, 200)),
    since_ms: context.clock.now_ms(),
  };
  keepProgram(context.call, record, context);
  return {
    handle: context.call,
    pid: started.pid,
    status: null,
    signal: null,
    ended_for: null,
    stdout: "",
    stderr: "",
    stdout_dropped_bytes: 0,
    stderr_dropped_bytes: 0,
    took_ms: 0,
    cpu_ms: null,
    memory_peak_bytes: null,
  };
}
