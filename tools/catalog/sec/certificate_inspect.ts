/** sec.certificate_inspect */

import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { z } from "zod";
import type { Context } from "../../context.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { vaultResource } from "../../vault/resources.ts";
import { type Remote, resolveRemote } from "../net/shared/remote.ts";
import { certificateNamed, facts } from "./shared/certificate/kept.ts";
import { problemsOf, readChain, Seen, seen } from "./shared/certificate/look.ts";
import { existing, name_input, userNames } from "./shared/vault-change.ts";

const file_bytes_max = 1024 * 1024;

const Input = z.lazy(() =>
  z.strictObject({
    of: z
      .discriminatedUnion("is", [
        z.strictObject({ is: z.literal("kept"), name: name_input }),
        z.strictObject({ is: z.literal("file"), path: z.string().min(1).max(4095).describe("a file of certificates in PEM, leaf first") }),
        z.strictObject({
          is: z.literal("host"),
          host: z.string().min(1).max(253).describe("name or address"),
          port: z.number().int().min(1).max(65_535).default(443),
        }),
      ])
      .describe("kept: a certificate of the vault. file: one on this system. host: what a server shows in TLS"),
    wanted: z.string().max(253).nullable().default(null).describe("the name by which it is reached; null: a host's own, else none"),
    timeout_ms: z.number().int().min(100).max(30_000).default(10_000).describe("milliseconds for a host's answer"),
  }),
);
type Input = z.infer<typeof Input>;

interface InspectTarget extends Target {
  readonly place: Occupied | null;
  readonly remote: Remote | null;
}

export const certificateInspect = defineTool({
  name: "sec.certificate_inspect",
  title: "Look at a certificate",
  description:
    "Shows certificates of the vault, of a file, or of a TLS server: for which names, by whom, how many days are left, key, fingerprint, and what is wrong (ended, ends soon, weak key, wrong name, broken chain, not trusted). Of one of the vault also the open request and the services that get it. Private keys are never shown. Whether a port answers at all says net.connect.",
  input: Input,
  output: z.lazy(() =>
    z.strictObject({
      chain: z.array(Seen).describe("leaf first; empty while an authority outside has not answered"),
      problems: z.array(z.string()).describe("in words; empty: nothing was found wrong"),
      kept: z
        .strictObject({
          owner: z.string(),
          signed_by: z.string(),
          request: z.string().nullable().describe("PKCS #10, PEM: what the authority outside has to sign"),
          earlier: z.array(Seen).describe("those before it that have not ended"),
          services: z.array(z.string()).describe("services that get it"),
        })
        .nullable(),
    }),
  ),
  risk: "observe",
  timeout_ms: 40_000,
  idempotent: true,
  tainted: true,
  open_world: true,
  image: null,
  async resolve({ of }, context): Promise<InspectTarget> {
    if (of.is === "kept") {
      existing("looking at", certificateNamed(of.name), context);
      return { place: null, remote: null, resources: [vaultResource(certificateNamed(of.name), "read", context.vault)] };
    }
    if (of.is === "host") {
      const remote = await resolveRemote(of.host, of.port, "read", `looking at the certificate of "${of.host}:${of.port}"`);
      return { place: null, remote, resources: [remote.resource] };
    }
    const place = openExisting(context, of.path, "follow");
    return { place, remote: null, resources: resourcesOf(place, "read"), close: () => place.close() };
  },
  async run({ place, remote }, input, context) {
    const now_ms = context.clock.now_ms();
    if (input.of.is === "kept") return await ofVault(input.of.name, input.wanted, context);
    const { chain, problems } = remote === null ? ofFile(place, context) : await ofHost(remote, input, context.signal);
    const wanted = input.wanted ?? remote?.host ?? null;
    return { chain: chain.map((one) => seen(one, now_ms)), problems: [...problemsOf(chain, now_ms, wanted), ...problems], kept: null };
  },
});

async function ofVault(name: string, wanted: string | null, context: Context) {
  const named = certificateNamed(name);
  const now_ms = context.clock.now_ms();
  const record = existing("looking at", named, context);
  const { chain, request, earlier, signed_by } = facts("looking at", record, name);
  const certificates = chain.map((one) => new X509Certificate(one));
  const trouble = context.vault.list().find((one) => one.kind === "certificate" && one.name === name)?.trouble ?? null;
  return {
    chain: certificates.map((one) => seen(one, now_ms)),
    problems: [
      ...problemsOf(certificates, now_ms, wanted),
      ...(trouble === null ? [] : [trouble]),
      ...(chain.length === 0
        ? ["nobody has signed it yet: give the request to the authority, and its answer to sec.certificate_renew"]
        : []),
    ],
    kept: {
      owner: record.owner,
      signed_by: signed_by.by === "authority" ? `the authority "${signed_by.authority}"` : signed_by.by,
      request,
      earlier: earlier.flatMap((one) => one.chain.slice(0, 1)).map((one) => seen(new X509Certificate(one), now_ms)),
      services: await userNames(named, context),
    },
  };
}

interface Found {
  readonly chain: readonly X509Certificate[];
  readonly problems: readonly string[];
}

function ofFile(place: Occupied | null, { sys }: Context): Found {
  if (place === null) throw new Error("looking at a file failed: none was resolved; this is a defect");
  const about = `reading certificates from "${place.path}"`;
  if (place.status.type !== "file" || place.status.size_bytes > file_bytes_max)
    throw new ToolError(`${about} failed: it is no file of at most ${file_bytes_max} bytes`);
  const fd = sys.file.reopen(place.fd, ["read"]);
  let chain: readonly X509Certificate[];
  try {
    const bytes = Buffer.alloc(place.status.size_bytes);
    for (let at = 0, got = 1; got > 0 && at < bytes.length; at += got) got = sys.descriptor.read(fd, bytes.subarray(at)) ?? 0;
    chain = readChain(bytes.toString("latin1"));
  } catch {
    throw new ToolError(`${about} failed: one of them cannot be read`);
  } finally {
    sys.descriptor.close(fd);
  }
  if (chain.length === 0) throw new ToolError(`${about} failed: it holds no certificate in PEM`);
  return { chain, problems: [] };
}

async function ofHost({ host, address }: Remote, { of, timeout_ms }: Input, signal: AbortSignal): Promise<Found> {
  const port = of.is === "host" ? of.port : 443;
  const about = `looking at the certificate of "${host}:${port}"`;
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ host: address, port, rejectUnauthorized: false, ...name });
  const fail = (why: string): void => reject(new ToolError(`${about} failed: ${why}; try net.connect to see what answers there`));
  socket.setTimeout(timeout_ms, () => fail(`no answer within ${timeout_ms} ms`));
  socket.once("secureConnect", () => resolve(socket));
  socket.once("error", (error) => fail(error.message));
  signal.addEventListener("abort", () => fail("the call was ended"), { once: true });
  try {
    await promise;
    const chain = chainOf(socket);
    if (chain.length === 0) throw new ToolError(`${about} failed: the server shows none`);
    const reason = String(socket.authorizationError ?? "");
    return { chain, problems: socket.authorized ? [] : [`it is not trusted here: ${reason === "" ? "unknown" : reason}`] };
  } finally {
    socket.destroy();
  }
}

const chain_max = 10;

/** What the server has sent, as far as the runtime tells. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let one: ReturnType<TLSSocket["getPeerCertificate"]> | undefined = socket.getPeerCertificate(true);
  const met = new Set<string>();
  while (one?.raw !== undefined && chain.length < chain_max && !met.has(one.fingerprint256)) {
    met.add(one.fingerprint256);
    chain.push(new X509Certificate(one.raw));
    one = "issuerCertificate" in one ? (one.issuerCertificate as typeof one) : undefined;
  }
  return chain;
}
