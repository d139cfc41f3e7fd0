/** nftables by nft(8) and its JSON (libnftables-json(5)): a table is made whole in one transaction, and read as the kernel has it. */

import { z } from "zod";
import type { Context } from "../../context.ts";
import type { Finished, Sandbox } from "../../exec/exec.ts";
import { howEnded } from "../../exec/linux.ts";
import { ToolError } from "../../tool.ts";

export type Json = Record<string, unknown>;

const program = "/usr/sbin/nft";
const sandbox: Sandbox = { network: true, capabilities: ["cap_net_admin"] };
const limits = { timeout_ms: 15_000, output_bytes_max: 8 * 1024 * 1024 };

/** Takes a table of family inet away whether it is there or not: adding it first makes the deletion succeed. */
export function dropTable(name: string): Json[] {
  return [{ add: { table: { family: "inet", name } } }, { delete: { table: { family: "inet", name } } }];
}

/** One transaction: all of it, or nothing. @param what `changing the firewall` @throws {ToolError} */
export async function transact({ exec }: Pick<Context, "exec">, commands: readonly Json[], what: string): Promise<void> {
  const stdin = JSON.stringify({ nftables: commands });
  const finished = await exec.run({ argv: [program, "--json", "--file", "-"], stdin, sandbox, limits });
  if (finished.status !== 0) throw new ToolError(`${what} failed: ${causeOf(finished)}`);
}

/** In its own words, where it had the time to say any. */
function causeOf(finished: Finished): string {
  const said = new TextDecoder().decode(finished.stderr).trim().slice(0, 500);
  return said !== "" && finished.ended_for === null
    ? said
    : `${howEnded(finished)}${said === "" ? "" : `; it said ${JSON.stringify(said)}`}`;
}

/** ENOENT, in nft(8)'s words. */
const no_such_table = "No such file or directory";
const Listing = z.lazy(() => z.object({ nftables: z.array(z.record(z.string(), z.unknown())) }));

/** A table of family inet, without handles; null when there is none. @throws {ToolError} when that is not known */
export async function readTable({ exec }: Pick<Context, "exec">, name: string): Promise<unknown[] | null> {
  const finished = await exec.run({ argv: [program, "--json", "list", "table", "inet", name], sandbox, limits });
  if (finished.status !== 0) {
    const cause = causeOf(finished);
    if (cause.includes(no_such_table)) return null;
    throw new ToolError(`reading the table "${name}" of the firewall failed: ${cause}`);
  }
  const parsed = Listing.parse(JSON.parse(new TextDecoder().decode(finished.stdout)));
  return parsed.nftables.filter((one) => !("metainfo" in one)).map((one) => withoutHandles(one));
}

function withoutHandles(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutHandles);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (key === "handle" ? [] : [[key, withoutHandles(inner)]])));
}
