/** What policies get to see of packages. */

import type { Resource } from "../../../../contracts/tool.ts";
import type { AuthorisedFile } from "./deb.ts";
import type { Installed } from "./status.ts";

/** The userland as a whole: whoever changes it is alone, and what comes later depends on it. */
export const userland: Resource = { kind: "system", id: "userland", access: "write", attributes: {} };
export const userland_read: Resource = { ...userland, access: "read" };

type Known = ReadonlyMap<string, Pick<Installed, "version">>;

/** From a source, whose signature apt demands. */
export function signedPackage(name: string, version: string | undefined, access: Resource["access"], installed: Known): Resource {
  return { kind: "package", id: name, access, attributes: { ...stateOf(name, version, installed), signed: true, origin: "source" } };
}

/** A single file, which nobody vouches for. */
export function unsignedPackage({ name, version }: AuthorisedFile, installed: Known): Resource {
  return {
    kind: "package",
    id: name,
    access: "write",
    attributes: { ...stateOf(name, version, installed), signed: false, origin: "file" },
  };
}

function stateOf(name: string, version: string | undefined, installed: Known) {
  const known = version ?? installed.get(name)?.version;
  return { installed: installed.has(name), ...(known === undefined ? {} : { version: known }) };
}
