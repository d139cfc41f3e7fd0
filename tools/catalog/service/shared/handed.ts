/** What the vault hands to a defined service. */

import type { Resource } from "../../../../contracts/tool.ts";
import type { Context } from "../../../context.ts";
import { handOut, namedOf, withdraw } from "../../../vault/handout.ts";
import { handedResource } from "../../../vault/resources.ts";
import type { Consumer } from "../../../vault/use.ts";
import type { Named } from "../../../vault/vault.ts";
import type { Definition, Stored } from "./definition.ts";

type Ports = Pick<Context, "vault" | "places">;

export function handTo(name: string, { definition, uid }: Stored, context: Ports, how: "all" | "what-opens" = "all"): void {
  handOut(name, uid, definition, context, how);
}

export function withdrawFrom(name: string, { places }: Ports): void {
  withdraw(name, places);
}

/** What runs, as the owner of a secret has to have named it. */
export function consumerOf(name: string, { argv, root, env }: Definition): Consumer {
  return { to: "service", service: name, argv, root, env };
}

/** @throws {ToolError} when there is no such secret or certificate */
export function handedResources(name: string, definition: Definition, { vault }: Ports): Resource[] {
  const consumer = consumerOf(name, definition);
  return namedOf(definition).map((named) => handedResource(named, consumer, vault));
}

export function has({ secrets, certificates }: Pick<Definition, "secrets" | "certificates">, { kind, name }: Named): boolean {
  return (kind === "secret" ? secrets : certificates).includes(name);
}
