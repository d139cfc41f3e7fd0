/**
 * Generated datagrams of sd_notify(3) at a service that is supervised: what is known is read as it was meant, the last line
 * of a name counts, and the status fits the contract whatever was sent.
 */

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { DefinedService } from "../../contracts/config.ts";
import { type ServiceState, ServiceStatus } from "../../contracts/service.ts";
import { makeRig } from "../control/testing/rig.ts";
import { type Notified, parseNotify } from "./notify.ts";

interface Sent {
  readonly bytes: Uint8Array;
  /** Null for noise. */
  readonly meant: Notified | null;
}

/** The lines of one name, and what the last of them means. */
interface Meaning {
  readonly line: string;
  readonly means: Partial<Notified>;
}

const text_line = fc.string({ unit: "grapheme", maxLength: 250, size: "max" }).map((text) => text.replaceAll("\n", " "));
const flag = (name: string, what: "ready" | "stopping" | "reloading"): fc.Arbitrary<Meaning> =>
  fc.oneof(fc.constant("1"), fc.constant("0"), text_line).map((value) => ({ line: `${name}=${value}`, means: { [what]: value === "1" } }));
const watchdog = fc
  .oneof(fc.constantFrom("1", "trigger", "0"), text_line)
  .map((value): Meaning => ({ line: `WATCHDOG=${value}`, means: { alive: value === "1", stuck: value === "trigger" } }));
const status = text_line.map((value): Meaning => ({ line: `STATUS=${value}`, means: { status: value.slice(0, 200) } }));
const extend = fc.oneof(
  fc
    .bigInt({ min: 0n, max: 999_999_999_999_999n })
    .map((value): Meaning => ({ line: `EXTEND_TIMEOUT_USEC=${value}`, means: { extend_ms: Number(value) / 1000 } })),
  fc
    .constantFrom("-5", "1e9", "", " 5", "0x10", "1000000000000000", "NaN")
    .map((value): Meaning => ({ line: `EXTEND_TIMEOUT_USEC=${value}`, means: { extend_ms: null } })),
);
const unknown = fc.oneof(
  fc.constantFrom("MAINPID=7", "FDSTORE=1", "", "=", "=1", "READY", " READY=1", "ready=1", "__proto__=1", "ERRNO=2"),
  text_line.map((text) => `X_${text}`),
);
const line = fc.oneof(
  flag("READY", "ready"),
  flag("STOPPING", "stopping"),
  flag("RELOADING", "reloading"),
  watchdog,
  status,
  extend,
  unknown.map((text): Meaning => ({ line: text, means: {} })),
);

const nothing: Notified = { ready: false, alive: false, stopping: false, reloading: false, stuck: false, status: null, extend_ms: null };
const lines = fc.array(line, { maxLength: 8 }).map(
  (all): Sent => ({
    bytes: new TextEncoder().encode(all.map((one) => one.line).join("\n")),
    meant: all.reduce<Notified>((so_far, { means }) => ({ ...so_far, ...means }), nothing),
  }),
);
const noise = fc
  .oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 4000, maxLength: 4096 }))
  .map((bytes): Sent => ({ bytes, meant: null }));
const torn = fc
  .tuple(lines, fc.nat(255), fc.nat())
  .map(
    ([{ bytes }, value, at]): Sent => ({ bytes: bytes.map((byte, index) => (index === at % bytes.length ? value : byte)), meant: null }),
  );
const datagram = fc.oneof({ weight: 6, arbitrary: lines }, { weight: 2, arbitrary: torn }, noise);

const ended: ReadonlySet<ServiceState | null> = new Set(["stopped", "backoff", "crash-loop"]);
/** Lets what is due happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * @param seed makes the same cases again
 * @param tried called after each case
 * @throws with the smallest datagram that fails
 */
export async function fuzzNotify(cases: number, seed: number, tried: () => void = () => {}): Promise<void> {
  const rig = makeRig();
  const { supervisor } = rig;
  rig.desk.defined.define("web", DefinedService.parse({ argv: ["/usr/bin/web"], uid: 20_000, ready: "notify", heartbeat_ms: 1000 }));
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(datagram, { minLength: 1, maxLength: 4 }), async (datagrams) => {
        if (supervisor.state("web") === "stopping") rig.children.get("web")?.hears.ended({ status: 0, signal: null });
        if (ended.has(supervisor.state("web"))) void supervisor.restart("web", "to be fuzzed");
        await turn();
        for (const sent of datagrams) {
          take(sent, (what) => rig.children.get("web")?.hears.notified(what));
          ServiceStatus.parse(supervisor.status("web"));
        }
        tried();
      }),
      { numRuns: cases, seed },
    );
  } finally {
    rig.close();
  }
}

/** As it comes from the socket (sys/datagram.ts). */
function take({ bytes, meant }: Sent, hears: (what: Notified) => void): void {
  const text = Buffer.from(bytes).toString("utf8");
  const found = parseNotify(text);
  if (meant !== null && !isDeepStrictEqual(found, meant))
    throw new Error(`${JSON.stringify(text)} was read as ${JSON.stringify(found)} and means ${JSON.stringify(meant)}`);
  if ((found.status?.length ?? 0) > 200 || found.status?.includes("\n") === true) throw new Error(`the status is "${found.status}"`);
  if (found.extend_ms !== null && !(found.extend_ms >= 0 && found.extend_ms < 1e12)) throw new Error(`${found.extend_ms} ms more`);
  hears(found);
}
