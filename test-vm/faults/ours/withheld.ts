/**
 * Faults that nobody has a playbook against: all of the image's are taken out of use, as a person can by a document each. What solves
 * them the first time is a model: the small one of this machine, or the one behind an API, which here is the test server that
 * speaks the provider's protocol and says what is written below. It takes two seconds before each
 * turn; a real one takes that long or longer.
 */

import type { ScriptText } from "../../../agents/testing/provider/script.ts";

/** Of the faults, those that are tried so. */
export const withheld: readonly string[] = [
  "memory-leak",
  "fork-bomb",
  "file-leak",
  "port-closed",
  "mtu-changed",
  "name-servers-emptied",
  "firewall-flushed",
  "hostname-changed",
  "forwarding-on",
];

/** Milliseconds before the first byte of a turn. */
const turn_ms = 2000;

interface Solution {
  readonly alarm: string;
  /** What it reads first. */
  readonly look: { readonly name: string; readonly input: Record<string, string | boolean | number> };
  readonly cause: string;
  readonly does: string;
  readonly tool: string;
  readonly input: Record<string, string | boolean | number | string[]>;
}

/** The service in the alarm's subject, which stands in the first message. */
const of_service = (alarm: string, cause: string): Solution => ({
  ...{ alarm, cause, does: "starts the service anew" },
  ...{ look: { name: "service.status", input: { name: "{{service}}" } }, tool: "service.restart", input: { name: "{{service}}" } },
});
const as_declared = (alarm: string, tool: "net.declared" | "sys.declared"): Solution => ({
  ...{ alarm, tool, input: { restore: true }, does: "makes it what was declared" },
  ...{ look: { name: "sys.info", input: {} }, cause: "somebody changed it past the system" },
});

const solutions: readonly Solution[] = [
  of_service("service-memory", "it keeps memory that it does not need"),
  of_service("service-tasks", "it starts processes that never end"),
  of_service("service-files", "it opens files and does not close them"),
  of_service("declared-port-closed", "it has closed its port, and runs on"),
  ...["network-drift", "no-address", "route-lost", "dns-silent", "link-down"].map((alarm) => as_declared(alarm, "net.declared")),
  as_declared("setting-drift", "sys.declared"),
];

export const script: ScriptText = {
  conversations: solutions.map(({ alarm, look, cause, does, tool, input }) => ({
    when: `alarm: "${alarm}"`,
    ...(JSON.stringify(input).includes("{{service}}") ? { match: 'subject: "(?:tcp:[0-9]+ of )?(?<service>[a-z]+)"' } : {}),
    turns: [
      {
        first_byte_ms: turn_ms,
        say: [{ text: "I look first." }, { tool: look }, { tool: { name: "tools.describe", input: { name: tool } } }],
      },
      {
        first_byte_ms: turn_ms,
        say: [
          {
            tool: {
              name: "incident.answer",
              input: { root_cause: cause, options: [{ does, calls: [{ tool, arguments: input }], watch_ms: 60_000, confidence: 0.9 }] },
            },
          },
        ],
      },
    ],
  })),
};
