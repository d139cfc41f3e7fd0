/** Cases of the tools of secrets (testing/case.ts). */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ToolCase, World } from "../../testing/case.ts";
import { servicesIn } from "../../testing/pid1.ts";
import { valuesIn } from "../../testing/values.ts";

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Sealed files byte by byte, what was handed out with its owner, and the services. A data key that was made stays. */
export function observeVault({ places }: World): unknown {
  const vault = filesBelow(join(places.broker, "vault")).filter((file) => !file.includes("/vault/keys/"));
  const seen = {
    vault: vault.map((file) => [file, readFileSync(file, "utf8")]),
    handed: filesBelow(join(places.run, "secrets")).map((file) => {
      const { mode, uid } = statSync(file);
      return [file, mode, uid, readFileSync(file, "latin1")];
    }),
    kept: valuesIn(places.broker, "service", "service:"),
    services: Object.entries(servicesIn(join(places.data, "..", "pid1.json"))).map(([name, { starts: _, ...one }]) => ({ name, ...one })),
  };
  return JSON.parse(JSON.stringify(seen).replaceAll(join(places.data, ".."), "/world"));
}

/** Without what differs from run to run: nonces, keys, times, what was generated, certificates. */
function effectOnVault(world: World): unknown {
  return JSON.parse(
    JSON.stringify(observeVault(world))
      .replace(/(\\"(?:nonce|sealed|key|changed_by)\\":)\\"[^"]*\\"/g, "$1")
      .replace(/(\\"(?:created_ms|until_ms)\\":)\d+/g, "$1")
      .replace(/-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----/g, "PEM")
      .replace(/"[A-Za-z0-9_-]{32}"/g, '"generated"'),
  );
}

export const looked = { observe: observeVault, effect: effectOnVault };

const argv = ["/bin/sleep", "1"];
export const web = { name: "web", argv };
const for_web = [{ to: "service", service: "web", argv }];
const db = { name: "db", value: "hunter2-hunter2", uses: for_web };

export const bad_names = ["..", "a/b", "a\0b", "", "A", "x".repeat(64), "../../keys/x", "db.json"].map((name) => ({ name }));

type Before = readonly (readonly [tool: string, args: Record<string, unknown>])[];
const put: Before = [["sec.secret_put", db]];
const used: Before = [...put, ["service.define", { ...web, secrets: ["db"] }]];
const with_service: Before = [...put, ["service.define", web]];

function after(before: Before, args: Record<string, unknown>): ToolCase["prepare"] {
  return async (world) => {
    for (const [tool, first] of before) await world.call(tool, first);
    return args;
  };
}

const bad_values = [
  { value: "" },
  { value: "x".repeat(30_000) },
  { value: "not base64!", encoding: "base64" },
  { value: "a", generate: {} },
  { generate: { length: 1 } },
  { generate: { alphabet: "none" } },
];

export const secret_cases: readonly ToolCase[] = [
  {
    ...{ tool: "sec.secret_put", name: "a new one", ...looked, secret: true },
    prepare: () => db,
    bad: () => [
      ...bad_values.map((bad) => ({ name: "db", ...bad })),
      ...bad_names.map((bad) => ({ ...db, ...bad })),
      { name: "db" },
      { name: "db", uses: [] },
      { ...db, uses: [{ to: "planet" }] },
      { ...db, uses: [{ to: "service", service: "web" }] },
    ],
  },
  {
    ...{ tool: "sec.secret_put", name: "another value of one that a service gets", ...looked, secret: true },
    prepare: after(used, { name: "db", value: "hunter3-hunter3" }),
    bad: () => bad_values.map((bad) => ({ name: "db", ...bad })),
  },
  {
    ...{ tool: "sec.secret_put", name: "to whom it may be handed", ...looked },
    prepare: after(put, { name: "db", uses: [...for_web, { to: "host", host: "example.org" }] }),
    bad: () => [{ name: "db" }, { name: "none", uses: [] }],
  },
  {
    ...{ tool: "sec.secret_rotate", name: "one that a service gets, which is started again", ...looked },
    prepare: after(used, { name: "db", restart: true }),
    bad: () => [...bad_values.map((bad) => ({ name: "db", ...bad })), ...bad_names, { name: "none" }],
  },
  {
    ...{ tool: "sec.secret_rotate", name: "to a value that is given", ...looked, secret: true },
    prepare: after(put, { name: "db", value: "hunter3-hunter3" }),
  },
  {
    ...{ tool: "sec.secret_delete", name: "one that a service gets", ...looked, final: true },
    prepare: after(used, { name: "db" }),
    bad: () => [...bad_names, { name: "none" }, { name: "db", kind: "certificate" }],
  },
  {
    ...{ tool: "sec.secret_list", name: "all", observe: observeVault },
    prepare: after(used, {}),
    bad: () => [{ limit: 0 }, { kind: "value" }],
    check({ secrets }) {
      if (JSON.stringify(secrets).includes("hunter")) throw new Error("it tells the value");
    },
  },
  {
    ...{ tool: "sec.secret_use", name: "by a service that runs", ...looked },
    prepare: after(with_service, { name: "db", service: "web" }),
    bad: () => [
      ...bad_names.map((bad) => ({ service: "web", ...bad })),
      { name: "none", service: "web" },
      { name: "db", service: "nobody" },
      { name: "db", service: "memory" },
      { name: "db", service: "web", withdraw: true },
    ],
  },
  {
    ...{ tool: "sec.secret_use", name: "no more", ...looked },
    prepare: after(used, { name: "db", service: "web", withdraw: true }),
  },
  {
    ...{ tool: "service.define", name: "with a secret", ...looked },
    prepare: after(put, { ...web, secrets: ["db"] }),
    bad: () => [
      { ...web, secrets: ["none"] },
      { ...web, secrets: ["../db"] },
      { ...web, certificates: ["db"] },
    ],
  },
  {
    ...{ tool: "service.remove", name: "one that gets a secret", ...looked },
    prepare: after(used, { name: "web" }),
  },
];
