/** sec.secret_use */

import { z } from "zod";
import { ServiceName } from "../../../contracts/service.ts";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { VaultKind } from "../../vault/record.ts";
import { handedResource } from "../../vault/resources.ts";
import { words } from "../../vault/vault.ts";
import { Before, bringBack, demandStored, lookBefore, verifyBefore } from "../service/shared/before.ts";
import { type Definition, forPid1, type Stored } from "../service/shared/definition.ts";
import { consumerOf, handTo, has } from "../service/shared/handed.ts";
import { lastWords } from "../service/shared/log-lines.ts";
import { change, define, isWanted, statusOf } from "../service/shared/pid1.ts";
import { serviceResource } from "../service/shared/resource.ts";
import { keepStored, readStored } from "../service/shared/store.ts";
import { name_input } from "./shared/vault-change.ts";

const Input = z.lazy(() =>
  z.strictObject({
    name: name_input,
    kind: VaultKind.default("secret").describe("a secret, or a certificate with its private key"),
    service: ServiceName.describe("a service that was defined with service.define"),
    withdraw: z.boolean().default(false).describe("do not hand it to that service any more"),
    restart: z
      .boolean()
      .default(true)
      .describe("start the service again when it runs, and fail when it does not come up; it sees the file only then"),
  }),
);
type Input = z.infer<typeof Input>;

interface UseTarget extends Target {
  readonly stored: Stored;
}

export const secretUse = defineTool({
  name: "sec.secret_use",
  title: "Hand a secret to a service",
  description:
    "Hands a secret or certificate of the vault to a defined service, as files below /run/secrets in its sandbox, or takes it away again. The caller never sees it. Its owner has to have named the service with its whole argument vector (uses of sec.secret_put). For a new service give `secrets` to service.define; for one run of a program take process.spawn, for a request net.http.",
  input: Input,
  output: z.lazy(() =>
    z.strictObject({
      service: z.string(),
      files: z.array(z.string()).describe("where it finds them"),
      restarted: z.boolean(),
    }),
  ),
  risk: "reversible",
  timeout_ms: 150_000,
  idempotent: true,
  tainted: false,
  state_of: "service",
  image: Before,
  async resolve(input, context): Promise<UseTarget> {
    const stored = demandStored("handing a secret to", input.service, context);
    const status = await statusOf(input.service, context);
    const given = serviceResource(input.service, "write", stored, status);
    if (input.withdraw) {
      if (!has(stored.definition, input))
        throw new ToolError(`taking ${words(input)} from the service "${input.service}" failed: it does not get it`);
      return { stored, resources: [given] };
    }
    return { stored, resources: [given, handedResource(input, consumerOf(input.service, stored.definition), context.vault)] };
  },
  preview: (_target, input) => ({
    changes: [
      input.withdraw
        ? `the service "${input.service}" does not get ${words(input)} any more`
        : `the service "${input.service}" gets ${words(input)} as ${filesOf(input).join(" and ")}`,
      ...(input.restart ? [`the service "${input.service}" is started again when it runs`] : []),
    ],
    final: [],
  }),
  snapshot: (_target, { service }, context) => lookBefore(service, context),
  async run({ stored }, input, context) {
    const { service, restart } = input;
    const next = { ...stored, definition: withOne(stored.definition, input) };
    handTo(service, next, context);
    keepStored(service, next, context);
    await define(service, next, context);
    const running = restart && isWanted(await statusOf(service, context));
    if (running) await change("restart", service, context);
    return { service, files: input.withdraw ? [] : filesOf(input), restarted: running };
  },
  async verify(_target, { service }, { restarted }, context) {
    const status = await statusOf(service, context);
    if (restarted && status?.state !== "ready")
      throw new ToolError(
        `restarting the service "${service}" failed: ${status?.reason ?? "PID 1 does not have it"}; ${await lastWords(service, context)}`,
      );
  },
  async settled(image, { input }, context) {
    const stored = readStored(image.name, context);
    const wanted = Input.parse(input); // the record has it as it was asked
    if (stored === null || has(stored.definition, wanted) === wanted.withdraw || image.running) return false;
    const known = (await context.init?.call("service.defined", {}))?.find(({ service }) => service === image.name)?.definition;
    return Bun.deepEquals(known, forPid1(image.name, stored, context));
  },
  undo: (image, _past, context) => bringBack(image, context),
  verifyUndone: (image, _past, context: Context) => verifyBefore(image, context),
});

function withOne(definition: Definition, { kind, name, withdraw }: Input): Definition {
  const member = kind === "secret" ? "secrets" : "certificates";
  const others = definition[member].filter((one) => one !== name);
  return { ...definition, [member]: withdraw ? others : [...others, name] };
}

function filesOf({ kind, name }: Pick<Input, "kind" | "name">): string[] {
  return kind === "secret" ? [`/run/secrets/${name}`] : [`/run/secrets/${name}.crt`, `/run/secrets/${name}.key`];
}
