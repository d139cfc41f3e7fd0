/** The sources of the machine config as apt reads them (sources.list(5), deb822). */

import { mkdirSync, writeFileSync } from "node:fs";
import { PackagesConfig } from "../../../../contracts/config.ts";
import type { Context } from "../../../context.ts";
import type { Sandbox } from "../../../exec/exec.ts";
import { isWithin, quote } from "../../../paths/path-text.ts";
import { openExisting } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { sha256 } from "../../fs/shared/content.ts";
import { folderOf } from "./folders.ts";

/** As the machine config has it now. @throws {ToolError} while PID 1 is away */
export async function packagesConfig({ init }: Pick<Context, "init">): Promise<PackagesConfig> {
  if (init === null) throw new ToolError("looking up the sources of packages failed: PID 1 is not connected; try again in a moment");
  return PackagesConfig.parse(await init.call("config.packages", {}));
}

export interface OpenSources {
  /** `http://…/debian trixie main`, for people and records. */
  readonly names: readonly string[];
  /** Of all that they are: what was fetched from others does not count. */
  readonly digest: string;
  /** One of them is not on this machine. */
  readonly network: boolean;
  /** Folders of this machine, as the sandbox sees them. */
  readonly reads: NonNullable<Sandbox["reads"]>;
  close(): void;
}

/** Debian's own keys, as they were shipped with the image. */
const debian_keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** Where the sandbox has what is written here. */
export const apt_inside = "/run/apt";
const repositories_inside = "/run/repositories";

/** Writes `sources.list.d/` and `keys/` into a folder. @throws {ToolError} when a folder of this machine is not there */
export function openSources({ sources }: PackagesConfig, folder: string, context: Context): OpenSources {
  for (const name of ["sources.list.d", "keys", "empty"]) mkdirSync(`${folder}/${name}`, { recursive: true, mode: 0o755 });
  const opened: { close(): void }[] = [];
  const close = (): void => {
    for (const one of opened) one.close();
  };
  const reads: [number, string][] = [];
  try {
    const texts = sources.map(({ uri, suite, components, signed_by }, index) => {
      let from = uri;
      if (uri.startsWith("file:")) {
        const place = openRepository(uri.slice("file:".length), context);
        opened.push(place);
        reads.push([place.fd, `${repositories_inside}/${index}`]);
        from = `copy:${repositories_inside}/${index}`; // copied, so that what was checked is what is installed
      }
      if (signed_by !== undefined) writeFileSync(`${folder}/keys/${index}.asc`, signed_by, { mode: 0o644 });
      const key = signed_by === undefined ? debian_keys : `${apt_inside}/keys/${index}.asc`;
      const parts = components.length === 0 ? [] : [`Components: ${components.join(" ")}`];
      return ["Types: deb", `URIs: ${from}`, `Suites: ${suite}`, ...parts, `Signed-By: ${key}`].join("\n");
    });
    writeFileSync(`${folder}/sources.list.d/aios.sources`, `${texts.join("\n\n")}\n`, { mode: 0o644 });
    return {
      names: sources.map(({ uri, suite, components }) => [uri, suite, ...components].join(" ")),
      digest: sha256(Buffer.from(JSON.stringify(sources))),
      network: sources.some(({ uri }) => !uri.startsWith("file:")),
      reads,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function openRepository(path: string, context: Context) {
  const what = `opening the repository ${quote(path)} of the machine config`;
  const place = openExisting(context, path, "follow");
  const { data } = context.places;
  if (place.status.type === "directory" && isWithin(place.path, data) && !isWithin(place.path, folderOf(context.places))) return place;
  place.close();
  throw new ToolError(
    `${what} failed: it is no folder on the data partition (${quote(data)}); put the repository there, for example into /var/lib/aios/srv`,
  );
}
