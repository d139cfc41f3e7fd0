/** Cases of the tools of certificates (testing/case.ts). */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ToolCase, World } from "../../testing/case.ts";
import { bad_names, looked, observeVault } from "./secrets.cases.ts";

const web = { name: "web", names: ["web.example.org", "192.0.2.1"], uses: [{ to: "service", service: "web", argv: ["/bin/sleep", "1"] }] };
const service = { name: "web", argv: ["/bin/sleep", "1"], certificates: ["web"] };
const authority = { name: "ours", subject: "Ours", authority: true, days: 3650 };
const signed = { ...web, signed_by: { by: "authority", authority: "ours" } };
const outside = { ...web, signed_by: { by: "outside" } };

type Before = readonly (readonly [tool: string, args: Record<string, unknown>])[];

function after(before: Before, args: Record<string, unknown>): ToolCase["prepare"] {
  return async (world) => {
    for (const [tool, first] of before) await world.call(tool, first);
    return args;
  };
}

const made: Before = [["sec.certificate_create", web]];
const used: Before = [...made, ["service.define", service]];
const with_authority: Before = [["sec.certificate_create", authority]];
const none = { name: "none" };

export const certificate_cases: readonly ToolCase[] = [
  {
    ...{ tool: "sec.certificate_create", name: "signed by itself", ...looked },
    prepare: () => web,
    bad: () => [
      ...bad_names.map((bad) => ({ ...web, ...bad })),
      { ...web, names: [] },
      { ...web, names: ["a b"] },
      { ...web, names: ["x\0y"] },
      { ...web, names: ["evil.example,CN=bank.example"] },
      { ...web, days: 0 },
      { ...web, key_type: "rsa-512" },
      { ...web, subject: "x".repeat(65) },
      { ...web, signed_by: { by: "authority", authority: "none" } },
      { ...web, signed_by: { by: "authority", authority: "web" } },
      { ...web, authority: true, signed_by: { by: "outside" } },
    ],
  },
  {
    ...{ tool: "sec.certificate_create", name: "signed by an authority of the vault", ...looked },
    prepare: after(with_authority, signed),
    bad: () => [{ ...signed, days: 3660 }],
  },
  { ...{ tool: "sec.certificate_create", name: "a request for an authority outside", ...looked }, prepare: () => outside },
  {
    ...{ tool: "sec.certificate_renew", name: "one that a service gets", ...looked },
    prepare: after(used, { name: "web", days: 30 }),
    bad: () => [...bad_names, none, { name: "web", days: 0 }, { name: "web", certificate: "-----BEGIN CERTIFICATE-----" }],
  },
  {
    ...{ tool: "sec.certificate_renew", name: "one that is signed by an authority", ...looked },
    prepare: after([...with_authority, ["sec.certificate_create", signed]], { name: "web" }),
  },
  {
    ...{ tool: "sec.certificate_renew", name: "a new request", ...looked },
    prepare: after([["sec.certificate_create", outside]], { name: "web" }),
    bad: () => [
      { name: "web", certificate: "nothing" },
      { name: "web", certificate: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
    ],
  },
  {
    ...{ tool: "sec.certificate_rotate", name: "one that a service gets, which is started again", ...looked },
    prepare: after(used, { name: "web", restart: true }),
    bad: () => [...bad_names, none, { name: "web", days: 100_000 }],
  },
  {
    ...{ tool: "sec.certificate_inspect", name: "of the vault", observe: observeVault },
    prepare: after(used, { of: { is: "kept", name: "web" } }),
    bad: () => [{ of: { is: "kept", name: "none" } }, { of: { is: "kept", name: "../web" } }, { of: { is: "file", path: "web" } }],
    check({ kept, chain }) {
      if (JSON.stringify([kept, chain]).includes("PRIVATE")) throw new Error("it shows the private key");
    },
  },
  {
    ...{ tool: "sec.certificate_inspect", name: "of a file", observe: observeVault },
    async prepare(world: World) {
      const { certificate } = await world.call("sec.certificate_create", web);
      const path = join(world.folder, "web.pem");
      writeFileSync(path, `a remark\n${String(certificate)}`);
      writeFileSync(join(world.folder, "empty.pem"), "nothing");
      return { of: { is: "file", path } };
    },
    bad: ({ folder }) => [
      { of: { is: "file", path: join(folder, "none") } },
      { of: { is: "file", path: folder } },
      { of: { is: "file", path: join(folder, "empty.pem") } },
      { of: { is: "file", path: "/dev/zero" } },
    ],
    check({ problems, chain }) {
      if (!Array.isArray(problems) || problems.length > 0 || !Array.isArray(chain) || chain.length !== 1)
        throw new Error(`it found ${JSON.stringify(problems)} in ${JSON.stringify(chain)}`);
    },
  },
];
