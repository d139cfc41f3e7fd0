/** Secrets of the vault on their way to one program, and out of what it says. */

import { join } from "node:path";
import { secrets_inside } from "../../../../contracts/paths.ts";
import type { Context } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { handToCall } from "../../../vault/handout.ts";
import { hideInBytes } from "../../../vault/hide.ts";
import type { Consumer } from "../../../vault/use.ts";

interface Wanted {
  readonly name: string;
  readonly variable: string | null;
}

export interface HandedSecrets {
  readonly files: readonly (readonly [from: string, to: string])[];
  readonly env: Readonly<Record<string, string>>;
  readonly values: readonly Uint8Array[];
  remove(): void;
}

/** The program and its arguments, which the owner has to have named. What else reaches it must not be the caller's. */
export function consumerOf(
  program: string,
  { argv, env, stdin }: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>>; readonly stdin: string | null },
): Consumer {
  const whole = [program, ...argv.slice(1)];
  const plain = Object.keys(env).length === 0 && stdin === null;
  return plain ? { to: "program", argv: whole } : { to: "program", argv: whole, varied: true };
}

/** @throws {ToolError} when one cannot be opened; then nothing was handed out */
export function handSecrets(wanted: readonly Wanted[], uid: number, { call, vault, places }: Context): HandedSecrets {
  const opened = wanted.map((one) => ({ ...one, value: vault.value({ kind: "secret", name: one.name }) }));
  const env: Record<string, string> = {};
  const files: [string, string][] = [];
  const removes: (() => void)[] = [];
  for (const { name, variable, value } of opened) {
    if (variable !== null) env[variable] = asVariable(name, value);
    else {
      const { path, remove } = handToCall(call, name, value, uid, places);
      files.push([path, join(secrets_inside, name)]);
      removes.push(remove);
    }
  }
  return {
    files,
    env,
    values: opened.map(({ value }) => value),
    remove() {
      for (const remove of removes) remove();
    },
  };
}

function asVariable(name: string, value: Buffer): string {
  const text = value.toString("utf8");
  if (value.includes(0) || !Buffer.from(text).equals(value))
    throw new ToolError(`handing the secret "${name}" over in a variable failed: it is no text, or holds a zero byte; take it as a file`);
  return text;
}

export function withoutSecrets(bytes: Uint8Array, handed: HandedSecrets | null): Uint8Array {
  return handed === null ? bytes : hideInBytes(bytes, handed.values);
}
