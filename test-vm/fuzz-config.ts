/** Generated machine configs: noise, near misses of a good file, and arbitrary YAML values. */

import fc from "fast-check";
import { stringify } from "yaml";
import { MachineConfig } from "../contracts/config.ts";
import { parseConfig } from "../init/boot/config.ts";

const good = `version: 1
hostname: lighthouse
network:
  default: none
  interfaces:
    - match: { name: eth0 }
      addresses: [192.0.2.7/24, "2001:db8::7/64"]
      gateway: 192.0.2.1
      mtu: 1400
  dns: [192.0.2.53]
services:
  memory: { limits: { memory_max_bytes: 268435456 }, heartbeat_ms: 3000 }
extra_services:
  probe: { argv: [/usr/sbin/blkid, --version], after: [memory], sandbox: true }
tiers: { strategic: { enabled: false } }
watchdog: { timeout_s: 20 }
`;

/** Milliseconds that one config may take: it is read by PID 1. */
const parse_limit_ms = 20_000;
/** Characters of one line that a person is to read. */
const problem_chars_max = 400;

const pieces = [
  "\t",
  "\0",
  ": ",
  "- ",
  "&a ",
  "*a",
  "!!js ",
  "{",
  "[",
  "]",
  '"',
  "'",
  "|",
  ">",
  "%",
  "#",
  "\n",
  "\r",
  "?",
  "__proto__",
  "1e999",
  "\u{1f600}",
];

/** A good file with some cuts and insertions. */
const near_miss = fc
  .array(fc.record({ at: fc.nat(good.length), cut: fc.nat(12), put: fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 6 })) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((edits) => edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), good));

const known_keys = [
  "hostname",
  "network",
  "services",
  "extra_services",
  "tiers",
  "limits",
  "watchdog",
  "console",
  "packages",
  "version",
  "interfaces",
];
const some_value = fc.dictionary(fc.oneof(fc.constantFrom(...known_keys), fc.string({ maxLength: 8 })), fc.jsonValue({ maxDepth: 3 }), {
  maxKeys: 5,
});

const input = fc.oneof(
  { weight: 4, arbitrary: near_miss.map((text) => new TextEncoder().encode(text)) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 200 }).map((text) => new TextEncoder().encode(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 3, arbitrary: some_value.map((value) => new TextEncoder().encode(stringify(value))) },
);

function holds(bytes: Uint8Array): void {
  const begin_ms = performance.now();
  const { config, problems } = parseConfig(bytes);
  const took_ms = performance.now() - begin_ms;
  if (took_ms > parse_limit_ms) throw new Error(`it took ${took_ms.toFixed(0)} ms`);
  if (config !== null) {
    MachineConfig.parse(config);
    return;
  }
  if (problems.length === 0) throw new Error("it was refused without a reason");
  for (const problem of problems) {
    if (problem.length > problem_chars_max || /[\n\r]/.test(problem)) throw new Error(`a reason is not one short line: "${problem}"`);
  }
}

/**
 * @param seed makes the same cases again
 * @param tried called after each case
 * @throws with the smallest input that fails
 */
export function fuzzConfig(cases: number, seed: number, tried: () => void): void {
  const refused = parseConfig(new TextEncoder().encode(good)).problems;
  if (refused.length > 0) throw new Error(`the good config is refused: ${refused.join("; ")}`);
  const property = fc.property(input, (bytes) => {
    holds(bytes);
    tried();
  });
  fc.assert(property, { numRuns: cases, seed });
}
