import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { stringify } from "yaml";
import { MachineConfig } from "../../contracts/config.ts";
import { default_config } from "../defaults.ts";
import { config_bytes_max, parseConfig } from "./config.ts";

const parse = (text: string) => parseConfig(new TextEncoder().encode(text));

describe("what is good", () => {
  test("an empty file, and one of comments, are the defaults", () => {
    for (const text of ["", "\n", "# nothing\n", "{}", "---\n"]) expect(parse(text)).toEqual({ config: default_config, problems: [] });
  });

  test("a full one", () => {
    const text = `
version: 1
hostname: stone
network:
  default: none
  interfaces:
    - match: { mac: "52:54:00:00:00:01" }
      addresses: [10.0.0.2/24, "fd00::2/64"]
      gateway: 10.0.0.1
      mtu: 1400
  ntp: [time.example.org]
services:
  memory: { limits: { memory_max_bytes: 104857600 } }
extra_services:
  sshd: { argv: [/usr/sbin/sshd, -D], network: true }
watchdog: { timeout_s: 20 }
`;
    const { config } = parse(text);
    expect(config).toMatchObject({ hostname: "stone", watchdog: { timeout_s: 20 }, extra_services: { sshd: { ready: "exec", uid: 900 } } });
  });

  test("what the schema gives out, it takes in again", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/);
    const some = fc.record(
      {
        hostname: name,
        watchdog: fc.record({ timeout_s: fc.integer({ min: 5, max: 600 }) }),
        network: fc.record({ dns: fc.array(fc.ipV4(), { maxLength: 3 }), default: fc.constantFrom("dhcp", "none") }, { requiredKeys: [] }),
        services: fc.record({ memory: fc.record({ enabled: fc.boolean() }), tactical: fc.record({}) }, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(some, (value) => {
        const config = MachineConfig.parse(value);
        expect(parse(stringify(config))).toEqual({ config, problems: [] });
      }),
    );
  });
});

describe("what is wrong is named by line and key", () => {
  test.each([
    ["hostname: -bad-\n", 'line 1, key "hostname": a host name is 1 to 63 of a-z 0-9 -, not at the ends (RFC 1123)'],
    ["version: 1\nnetwork:\n  dsn: []\n", 'line 3, key "network.dsn": there is no such key; there are default, interfaces, dns, ntp'],
    ["tiers:\n  strategic:\n    budget:\n      hour_usd: 1\n", "there is no such key; there are hour, day, incident"],
    [
      "network:\n  interfaces:\n    - { match: { name: a }, dhpc: true }\n",
      'key "network.interfaces.0.dhpc": there is no such key; there are match, ',
    ],
    [
      "services:\n  reactve: { enabled: false }\n",
      'line 2, key "services.reactve": there is no such key; there are console, memory, broker, reactive, operational, tactical, strategic',
    ],
    ["services:\n  console: { enabled: false }\n", 'key "services.console": the console cannot be switched off: it is the only way in'],
    ["watchdog:\n  timeout_s: 1\n", 'line 2, key "watchdog.timeout_s": Too small: expected number to be >=5'],
    [
      "network:\n  interfaces:\n    - match: {name: eth0}\n",
      'line 3, key "network.interfaces.0": an interface needs dhcp: true or at least one address',
    ],
    ["hostname: a\nhostname: b\n", "line 2: Map keys must be unique"],
    ["a: [1, 2\n", "line 2: Flow sequence in block collection must be sufficiently indented and end with a ]"],
    ["- 1\n", "line 1, the whole file: Invalid input: expected object, received array"],
    ["a: &x 1\nb: *x\n", "line 2: aliases (*name) are not allowed; write the value out"],
    ["hostname: !danger x\n", 'line 1: the tag "!danger" is not known'],
  ])("%j", (text, problem) => {
    const { config, problems } = parse(text);
    expect(config).toBeNull();
    expect(problems.join("\n")).toContain(problem);
  });

  test("all problems at once, but no more than a screen of them", () => {
    const keys = Array.from({ length: 30 }, (_, index) => `x${index}: 1`).join("\n");
    const { problems } = parse(keys);
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe("and 10 more");
  });
});

describe("attacks", () => {
  test("too large, too deep, an alias bomb, not text", () => {
    expect(parseConfig(new Uint8Array(config_bytes_max + 1)).problems[0]).toContain("more than 262144");
    expect(parse("[".repeat(100_000)).problems[0]).toContain("nested deeper");
    expect(parse("- ".repeat(100_000)).problems[0]).toContain("nested deeper");
    const bomb = Array.from({ length: 20 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`).join("\n");
    expect(parse(`a0: &a0 [1]\n${bomb}\n`).problems[0]).toContain("aliases");
    expect(parseConfig(Uint8Array.of(0xff, 0xfe, 0x00)).config).toBeNull();
    expect(parse("__proto__: { hostname: x }").config).toBeNull();
  });

  test("no input whatever makes it throw, or leave a config that the schema would refuse", () => {
    const runs = Number(process.env["FUZZ_RUNS"] ?? 2000);
    const word = fc.constantFrom(
      "hostname",
      "network",
      ":",
      "- ",
      "\n",
      "  ",
      "{",
      "}",
      "[",
      "]",
      "&a",
      "*a",
      "!x",
      "|",
      ">",
      "'",
      '"',
      "1",
      "a",
      "#",
      "? ",
      "---",
    );
    const soup = fc.array(word, { maxLength: 60 }).map((words) => words.join(""));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ maxLength: 300 }).map((text) => new TextEncoder().encode(text)),
      soup.map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        const { config, problems } = parseConfig(input);
        if (config === null) expect(problems.length).toBeGreaterThan(0);
        else expect(MachineConfig.parse(config)).toEqual(config);
      }),
      { numRuns: runs },
    );
  });
});

test("a key of an API is in no complaint, wherever it stands", () => {
  const key = "sk-ant-Kd93hQ0v7yTzPP";
  const provider = (text: string): string => `tiers: {strategic: {providers: [{kind: anthropic, model: m, ${text}}]}}`;
  const wrong = [
    provider(`key: ${key}`),
    provider(`key: {value: "${key} x"}`),
    provider(`key: {${key}: 1}`),
    provider(`key: {value: *${key}}`),
    provider(`key: {value: !${key} x}`),
    provider(`key: {value: "${key}}`),
    provider(`base_url: "http://${key}@api/"`),
    `tiers:\n strategic:\n  providers:\n  - kind: x\n    key: {value: ${key}}\n  ${key}\n`,
    `${key}: 1\n${key}: 2\n`,
    `a: |${key}`,
    `a: "\\x${key}"`,
    `a: !<${key}> 1`,
  ];
  for (const text of wrong) {
    const { problems } = parseConfig(Buffer.from(text));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join("\n")).not.toContain(key.slice(7, 15));
  }
});

test("the example of the documentation and the file in the image are valid, and the example shows every key", () => {
  const documented = /```yaml\n([\s\S]*?)```/.exec(readFileSync(join(import.meta.dir, "../../docs/CONFIG.md"), "utf8"))?.[1] ?? "";
  const shown = parseConfig(Buffer.from(documented));
  expect(shown).toMatchObject({ problems: [] });
  for (const key of Object.keys(default_config)) expect(documented).toMatch(new RegExp(`^${key}:`, "m"));
  const shipped = readFileSync(join(import.meta.dir, "../../image/aios.yaml"));
  expect(parseConfig(shipped)).toMatchObject({ problems: [], config: default_config });
});
