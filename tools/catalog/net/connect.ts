import { createSocket } from "node:dgram";
import { createConnection, isIP, isIPv6, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { z } from "zod";
import { defineTool, type Target } from "../../tool.ts";
import { Host, Port } from "./shared/fields.ts";
import { type Remote, resolveRemote } from "./shared/remote.ts";

const Certificate = z.lazy(() =>
  z.strictObject({
    subject: z.string(),
    issuer: z.string(),
    valid_from: z.string(),
    valid_to: z.string(),
    sha256: z.string(),
    trusted: z.boolean(),
    why_not_trusted: z.string().nullable(),
  }),
);
const Output = z.lazy(() =>
  z.strictObject({
    address: z.string(),
    reached: z.boolean(),
    /** `connected`, `refused`, `timeout`, `unreachable`, `tls-failed`, `sent` (UDP without an answer), `answered`. */
    result: z.enum(["connected", "refused", "timeout", "unreachable", "tls-failed", "sent", "answered"]),
    detail: z.string(),
    took_ms: z.number(),
    certificate: Certificate.nullable(),
  }),
);
type Output = z.infer<typeof Output>;

const Input = z.lazy(() =>
  z.strictObject({
    host: Host.describe("name or address"),
    port: Port.describe("the remote port"),
    protocol: z.enum(["tcp", "udp", "tls"]).default("tcp").describe("`tls` also reads the certificate; `udp` sends one empty packet"),
    timeout_ms: z.number().int().min(50).max(30_000).default(3000).describe("milliseconds to wait"),
  }),
);
type Input = z.infer<typeof Input>;

interface ConnectTarget extends Target {
  readonly remote: Remote;
}

export const connect = defineTool<Input, Output, ConnectTarget>({
  name: "net.connect",
  title: "Probe a port",
  description:
    "Tries whether a TCP, UDP or TLS port can be reached, sends nothing else and closes at once. Not reaching it is an answer, not an error: `result` says why. To fetch a page use net.http.",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 40_000,
  idempotent: true,
  tainted: true, // names in certificates
  open_world: true,
  image: null,
  async resolve({ host, port }) {
    const remote = await resolveRemote(host, port, "read", `probing "${host}" port ${port}`);
    return { remote, resources: [remote.resource] };
  },
  async run({ remote }, input) {
    const begin = performance.now();
    const found = input.protocol === "udp" ? await probeUdp(remote, input) : await probeStream(remote, input);
    return { address: remote.address, took_ms: Math.round((performance.now() - begin) * 1000) / 1000, certificate: null, ...found };
  },
});

type Found = Pick<Output, "reached" | "result" | "detail"> & { certificate?: Output["certificate"] };

function probeStream(remote: Remote, { port, protocol, timeout_ms }: Input): Promise<Found> {
  const { promise, resolve } = Promise.withResolvers<Found>();
  const socket: Socket | TLSSocket =
    protocol === "tls"
      ? connectTls({
          host: remote.address,
          port,
          rejectUnauthorized: false,
          ...(isIP(remote.host) === 0 ? { servername: remote.host } : {}),
        })
      : createConnection({ host: remote.address, port });
  let connected = false;
  socket.setTimeout(timeout_ms, () => resolve({ reached: connected, result: "timeout", detail: `no answer within ${timeout_ms} ms` }));
  socket.once("connect", () => {
    connected = true;
    if (protocol === "tcp") resolve({ reached: true, result: "connected", detail: "it accepts connections" });
  });
  socket.once("secureConnect", () => {
    if (socket instanceof TLSSocket)
      resolve({ reached: true, result: "connected", detail: socket.getProtocol() ?? "TLS", certificate: certificateOf(socket) });
  });
  socket.once("error", (error) => resolve(connected ? { reached: true, result: "tls-failed", detail: error.message } : failure(error)));
  return promise.finally(() => socket.destroy());
}

function failure(error: Error): Found {
  const code = "code" in error ? String(error.code) : "";
  return {
    reached: false,
    result: code === "ECONNREFUSED" ? "refused" : code === "ETIMEDOUT" ? "timeout" : "unreachable",
    detail: error.message,
  };
}

function certificateOf(socket: TLSSocket): Output["certificate"] {
  const certificate = socket.getPeerCertificate();
  if (certificate.fingerprint256 === undefined) return null;
  const name = (of: object): string =>
    Object.entries(of)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(", ");
  return {
    subject: name(certificate.subject ?? {}),
    issuer: name(certificate.issuer ?? {}),
    valid_from: certificate.valid_from,
    valid_to: certificate.valid_to,
    sha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    trusted: socket.authorized,
    why_not_trusted: socket.authorized ? null : String(socket.authorizationError ?? "unknown"),
  };
}

/** An empty packet: what comes back, or a refusal by ICMP; silence says nothing. */
function probeUdp(remote: Remote, { port, timeout_ms }: Input): Promise<Found> {
  const { promise, resolve } = Promise.withResolvers<Found>();
  const socket = createSocket(isIPv6(remote.address) ? "udp6" : "udp4");
  const timer = setTimeout(
    () => resolve({ reached: false, result: "sent", detail: `no answer within ${timeout_ms} ms, which many services do not give` }),
    timeout_ms,
  );
  socket.once("message", (message) => resolve({ reached: true, result: "answered", detail: `${message.length} bytes came back` }));
  socket.once("error", (error) => resolve(failure(error)));
  socket.connect(port, remote.address, () => socket.send(Buffer.alloc(0)));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}
