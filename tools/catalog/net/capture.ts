import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { isSysError } from "../../../sys/errors.ts";
import { writeDurably } from "../../../wire/files.ts";
import type { Context } from "../../context.ts";
import { tools_uid } from "../../exec/exec.ts";
import { quote } from "../../paths/path-text.ts";
import { openPlace, type Place } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { fitting } from "../fs/shared/answer.ts";
import { hashOf, openForReading, sha256, writeWhole } from "../fs/shared/content.ts";
import { doing } from "../fs/shared/failure.ts";
import { pathField } from "../fs/shared/fields.ts";
import { besideName, clearBeside, exchangeIn, makeFile } from "../fs/shared/new-file.ts";
import { restoreTimes, SlotImage, slotImage, statusAt, syncFolder, withSlot } from "../fs/shared/slot.ts";
import { demandStorage } from "../fs/shared/target.ts";
import { InterfaceName } from "./shared/fields.ts";
import { readInterfaces } from "./shared/ip.ts";
import { readCapture } from "./shared/pcap.ts";

const mib = 1024 * 1024;
const user = "tools";
const answer_bytes_max = 48_000;

const Input = z.lazy(() =>
  z.strictObject({
    interface: InterfaceName.describe("the interface, as net.interfaces names it, or `any`"),
    filter: z
      .string()
      .max(500)
      .regex(/^[A-Za-z0-9(!\\[][\x20-\x7e]*$/, "an expression of pcap-filter(7) in ASCII, which begins with a word, ( or !")
      .optional()
      .describe("which packets, as pcap-filter(7) says: `tcp port 443 and host 192.0.2.1`; with addresses, not names"),
    packets_max: z.number().int().min(1).max(10_000).default(100).describe("it ends after so many packets"),
    seconds_max: z.number().int().min(1).max(120).default(10).describe("it ends after so many seconds"),
    bytes_max: z
      .number()
      .int()
      .min(1000)
      .max(16 * mib)
      .default(mib)
      .describe("bytes that are kept of all packets together"),
    packet_bytes_max: z.number().int().min(64).max(65_535).default(128).describe("bytes that are kept of each packet: 128 are headers"),
    file: pathField("a new file for the packets themselves, in pcap; left out: they are only summed up").optional(),
  }),
);
type Input = z.infer<typeof Input>;

const Packet = z.lazy(() =>
  z.strictObject({
    time_ms: z.number(),
    protocol: z.string(),
    source: z.string().nullable(),
    source_port: z.number().int().nullable(),
    destination: z.string().nullable(),
    destination_port: z.number().int().nullable(),
    length_bytes: z.number().int(),
  }),
);

const Output = z.lazy(() =>
  z.strictObject({
    packets: z.array(Packet).describe("the first, as many as fit"),
    captured: z.number().int(),
    ended: z.enum(["packets", "seconds"]).describe("which of its bounds ended it"),
    truncated: z.boolean().describe("more came than bytes_max"),
    file: z.strictObject({ path: z.string(), size_bytes: z.number().int(), sha256: z.string() }).nullable(),
  }),
);
type Output = z.infer<typeof Output>;

interface CaptureTarget extends Target {
  readonly place: Place | null;
}

/** The place of the new file; null without one. */
const Image = z.lazy(() => z.strictObject({ slot: SlotImage.nullable() }));
type Image = z.infer<typeof Image>;

/** Says which call made a file: so an undo after a crash takes away that one only. */
const mark = "user.aios.call";

export const capture = defineTool<Input, Output, CaptureTarget, Image>({
  name: "net.capture",
  title: "Capture packets",
  description:
    "Listens on an interface for a bounded time and tells which packets went by: when, by which protocol, between which addresses and ports, how long. What they carry is never in the answer; with `file` it is written into a new pcap file. Use it when net.connect and net.connections do not explain what goes wrong. Others' traffic is private: filter narrowly. It sends nothing and does not switch the interface to promiscuous mode.",
  input: Input,
  output: Output,
  risk: "reversible",
  riskOf: ({ file }) => (file === undefined ? "observe" : "reversible"),
  timeout_ms: 180_000,
  idempotent: false,
  tainted: true,
  concurrency_max: 2,
  image: Image,
  async resolve({ interface: name, file }, context) {
    const what = `capturing on "${name}" failed`;
    const all = await readInterfaces(context);
    const up = all.filter((one) => one.up).map((one) => one.name);
    if (name !== "any" && !up.includes(name))
      throw new ToolError(`${what}: there is no such interface that is up; there are ${up.join(", ") || "none"}`);
    const tap: Resource = { kind: "interface", id: name === "any" ? "*" : name, access: "read", attributes: { loopback: name === "lo" } };
    if (file === undefined) return { place: null, resources: [tap] };
    const place = openPlace(context, file, "itself");
    try {
      demandStorage(place, `writing ${quote(file)}`);
      if (place.fd !== null) throw new ToolError(`writing ${quote(place.path)} failed: there is something already; give a new name`);
    } catch (error) {
      place.close();
      throw error;
    }
    return { place, resources: [tap, ...resourcesOf(place, "write")], close: () => place.close() };
  },
  preview: ({ place }, { interface: name, filter, seconds_max, packets_max }) => ({
    changes: [
      `listens on "${name}" for ${filter ?? "every packet"}, ${seconds_max} s or ${packets_max} packets`,
      ...(place === null ? [] : [`makes the file ${quote(place.path)}`]),
    ],
    final: [],
  }),
  snapshot: ({ place }, _, { sys }) => ({ slot: place === null ? null : slotImage(sys, place) }),
  run: ({ place }, input, context) =>
    doing(`capturing on "${input.interface}"`, async () => {
      const { bytes, ended, truncated } = await captured(input, context);
      const found = readCapture(bytes);
      if (found === null) throw new ToolError(`capturing on "${input.interface}" failed: what tcpdump wrote is no capture`);
      const { packets, cut } = found;
      const file = place === null ? null : await keep(place, bytes, context);
      return {
        packets: fitting(packets.slice(0, 500), answer_bytes_max),
        captured: packets.length,
        ended,
        truncated: truncated || cut,
        file,
      };
    }),
  async verify({ place }, _, { file }, { sys }) {
    if (place !== null && statusAt(sys, place.folder, place.name)?.size_bytes !== file?.size_bytes)
      throw new ToolError(`looking at ${quote(place.path)} failed: it is not what was captured`);
  },
  async undo({ slot: image }, { call, output }, { sys, signal }) {
    if (image === null) return;
    await withSlot({ sys }, image, async (slot) => {
      clearBeside(sys, slot.folder, besideName(call, "new"));
      if (slot.now()?.type === "file" && (await isOurs(sys, slot.folder, slot.name, call, output?.file?.sha256, signal)))
        sys.file.unlink(slot.folder, slot.name, "file");
      restoreTimes(sys, slot, image);
      await syncFolder(sys, slot.folder);
    });
  },
  verifyUndone: ({ slot: image }, { call }, { sys }) =>
    image === null
      ? undefined
      : withSlot({ sys }, image, (slot) => {
          if (slot.now() !== null && markOf(sys, slot.folder, slot.name) === call)
            throw new ToolError(`taking back the capture ${quote(slot.path)} failed: it is still there`);
        }),
});

/**
 * Ends by itself after so many packets, or is ended. tcpdump opens the interface, then becomes the user of tools and has no
 * capability left when it reads the first packet; of users it sees that one.
 */
async function captured(
  { interface: name, filter, packets_max, seconds_max, bytes_max, packet_bytes_max }: Input,
  { exec, places }: Context,
): Promise<{ readonly bytes: Buffer; readonly ended: Output["ended"]; readonly truncated: boolean }> {
  const users = `${places.run}/broker/capture.passwd`;
  writeDurably(users, `${user}:x:${tools_uid}:${tools_uid}::/:/usr/sbin/nologin\n`);
  const bounds = ["-s", String(packet_bytes_max), "-c", String(packets_max)];
  const options = ["-n", "-p", "-U", "--immediate-mode", "-Z", user, "-i", name, ...bounds];
  const { stdout, stderr, status, ended_for, stdout_dropped_bytes } = await exec.run({
    argv: ["/usr/bin/tcpdump", ...options, "-w", "-", "--", ...(filter === undefined ? [] : [filter])],
    sandbox: { network: true, capabilities: ["cap_net_raw", "cap_setuid", "cap_setgid"], reads: [[users, "/etc/passwd"]] },
    limits: { timeout_ms: seconds_max * 1000, output_bytes_max: bytes_max, memory_max_bytes: 128 * mib, pids_max: 8 },
  });
  if (ended_for === "cancelled") throw new ToolError(`capturing on "${name}" failed: the call was cancelled`);
  if (ended_for === null && status !== 0) {
    const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1)?.slice(0, 300);
    throw new ToolError(`capturing on "${name}" failed: ${said}; see pcap-filter(7) for what a filter may say`);
  }
  return { bytes: Buffer.from(stdout), ended: ended_for === null ? "packets" : "seconds", truncated: stdout_dropped_bytes > 0 };
}

/** Made whole beside its place, and put there when nobody else was quicker. */
async function keep(place: Place, bytes: Buffer, { sys, call }: Context): Promise<NonNullable<Output["file"]>> {
  const beside = besideName(call, "new");
  await makeFile(sys, place.folder, beside, async (fd) => {
    try {
      sys.file.setAttribute(fd, mark, Buffer.from(call));
    } catch (error) {
      if (!isSysError(error, "EOPNOTSUPP")) throw error;
      throw new ToolError(
        `writing ${quote(place.path)} failed: its file system keeps no extended attributes; choose a place on the data partition`,
      );
    }
    await writeWhole(fd, bytes);
  });
  await exchangeIn(sys, place, beside);
  return { path: place.path, size_bytes: bytes.length, sha256: sha256(bytes) };
}

function markOf(sys: Context["sys"], folder: number, name: Buffer): string | null {
  const fd = sys.file.open(folder, name, ["path", "nofollow"]);
  try {
    return sys.file.attribute(fd, mark)?.toString() ?? null;
  } finally {
    sys.descriptor.close(fd);
  }
}

/** @param digest of what was written; unknown after a crash @throws {ToolError} when somebody has changed it since */
async function isOurs(
  sys: Context["sys"],
  folder: number,
  name: Buffer,
  call: string,
  digest: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (markOf(sys, folder, name) !== call) return false;
  if (digest === undefined) return true;
  const fd = sys.file.open(folder, name, ["path", "nofollow"]);
  const content = openForReading(sys, fd);
  try {
    if ((await hashOf(content, "sha256", signal)) === digest) return true;
    throw new ToolError(`taking back the capture ${quote(name.toString())} failed: it was changed since; remove it with fs.remove`);
  } finally {
    sys.descriptor.close(content);
    sys.descriptor.close(fd);
  }
}
