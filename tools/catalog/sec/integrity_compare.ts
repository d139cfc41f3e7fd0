import { z } from "zod";
import type { Audit } from "../../audit/audit.ts";
import type { Context } from "../../context.ts";
import { decodeName, quote, showName } from "../../paths/path-text.ts";
import type { Occupied } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { joined } from "../fs/shared/answer.ts";
import { doing } from "../fs/shared/failure.ts";
import { entries_max, type RootsTarget } from "./integrity_baseline.ts";
import { type ConfigurationPorts, configurationEntries } from "./shared/integrity/configuration.ts";
import { compareKeys, differences, type Entry, Entry as EntrySchema, type Key } from "./shared/integrity/entry.ts";
import { letGo, openRoot } from "./shared/integrity/roots.ts";
import { type Baseline, BaselineName, baselineNames, baselineOf, sealedEntries } from "./shared/integrity/store.ts";
import { entriesBelow } from "./shared/integrity/take.ts";

/** More than any baseline was taken with is not read. */
const bytes_max = 64 * 1024 ** 3;
const answer_bytes_max = 60_000;

const Input = z.lazy(() =>
  z.strictObject({
    name: BaselineName.default("system").describe("the baseline's name"),
    limit: z.number().int().min(1).max(500).default(100).describe("differences at most; it stops looking when it has so many"),
    cursor: z
      .string()
      .max(12_000)
      .regex(/^[A-Za-z0-9_-]*$/)
      .nullable()
      .default(null)
      .describe("for the next page: next_cursor of the last answer"),
  }),
);
type Input = z.infer<typeof Input>;

const Difference = z.lazy(() =>
  z.strictObject({
    what: z.enum(["added", "removed", "changed"]),
    path: z.string().describe("the file, or what was set: net/firewall, policy/observer"),
    bytes_base64: z.string().optional().describe("the path below its root in bytes, when it is no text"),
    type: EntrySchema.shape.type.describe("of what is there; of what was there when it is gone"),
    changes: z.array(z.string()).describe("what is different, when it was changed"),
  }),
);
type Difference = z.infer<typeof Difference>;

const Output = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    made_ms: z.number().describe("when the baseline was taken, milliseconds since 1970"),
    call: z.string().describe("the call that took it"),
    same: z.boolean().describe("nothing differs, in all of it"),
    differences: z.array(Difference).describe("in the order of their paths"),
    looked_at: z.number().int().describe("entries that were compared in this call"),
    next_cursor: z.string().nullable().describe("where to go on; null when all was looked at"),
  }),
);
type Output = z.infer<typeof Output>;

export interface ComparePorts extends ConfigurationPorts {
  readonly audit: Pick<Audit, "ofCall">;
}

export function compareTool(ports: ComparePorts) {
  return defineTool<Input, Output, RootsTarget>({
    name: "sec.integrity_compare",
    title: "Compare with a baseline",
    description:
      "Tells what was added, removed or changed since sec.integrity_baseline, and what of it (content, mode, owner, attributes, link target), in files and in how the system is set up. First it proves by the audit that the baseline itself is unchanged. What it tells may be meant: sec.audit says which call changed a file or setting; a change that no call made is what to look for.",
    input: Input,
    output: Output,
    risk: "observe",
    timeout_ms: 900_000,
    idempotent: true,
    tainted: true, // names of files
    concurrency_max: 2,
    image: null,
    resolve({ name }, context) {
      const baseline = demandBaseline(name, context);
      const places: (Occupied | null)[] = [];
      try {
        for (const root of baseline.roots) places.push(openRoot(context, root, `comparing with the baseline "${name}"`));
      } catch (error) {
        letGo(places);
        throw error;
      }
      return {
        roots: places,
        resources: [
          ...places.flatMap((place) =>
            place === null ? [] : resourcesOf(place, "read", { recursive: place.status.type === "directory" }),
          ),
          { kind: "system", id: `baseline/${name}`, access: "read", attributes: {} },
        ],
        close: () => letGo(places),
      };
    },
    run: ({ roots }, { name, limit, cursor }, context) =>
      doing(`comparing with the baseline "${name}"`, async () => {
        const baseline = demandBaseline(name, context);
        const before = await sealedEntries(context, baseline, ports.audit);
        const after = cursor === null ? null : keyOf(cursor);
        const found: Difference[] = [];
        const taken = { entries: 0, hashed_bytes: 0 };
        let [last, looked_at, bytes] = [null as Key | null, 0, 0];
        let more = false;
        for await (const { key, difference } of merged(before, now(context, roots, baseline, taken, after), after)) {
          looked_at += 1;
          const told = difference === null ? null : shown(difference, key, baseline);
          if (told !== null) {
            bytes += Buffer.byteLength(JSON.stringify(told));
            more = found.length === limit || (bytes > answer_bytes_max && found.length > 0);
            if (more) break;
            found.push(told);
          }
          last = key;
        }
        const { made_ms, call } = baseline;
        const next_cursor = more && last !== null ? cursorOf(last) : null;
        return { name, made_ms, call, same: !more && found.length === 0 && after === null, differences: found, looked_at, next_cursor };
      }),
  });

  async function* now(
    context: Context,
    roots: readonly (Occupied | null)[],
    { configuration }: Baseline,
    taken: { entries: number; hashed_bytes: number },
    after: Key | null,
  ): AsyncGenerator<Entry> {
    yield* entriesBelow(context, roots, { entries_max: 2 * entries_max, bytes_max }, taken, after);
    if (!configuration) return;
    for (const entry of configurationEntries(ports, roots.length)) if (after === null || compareKeys(entry, after) > 0) yield entry;
  }
}

/** @throws {ToolError} */
function demandBaseline(name: string, { state }: Pick<Context, "state">): Baseline {
  const baseline = baselineOf(state, name);
  if (baseline !== null) return baseline;
  const names = baselineNames(state);
  throw new ToolError(
    `comparing with the baseline "${name}" failed: there is none; ${names.length === 0 ? "take one with sec.integrity_baseline" : `there are ${names.join(", ")}`}`,
  );
}

type Found = Pick<Difference, "what" | "changes"> & { readonly entry: Entry };

/** Both in their common order, each key once. */
async function* merged(
  before: readonly Entry[],
  now: AsyncGenerator<Entry>,
  after: Key | null,
): AsyncGenerator<{ readonly key: Key; readonly difference: Found | null }> {
  let at = after === null ? 0 : before.findIndex((entry) => compareKeys(entry, after) > 0);
  if (at === -1) at = before.length;
  const removed = (entry: Entry): { key: Key; difference: Found } => ({ key: entry, difference: { what: "removed", changes: [], entry } });
  for await (const entry of now) {
    for (let old = before[at]; old !== undefined && compareKeys(old, entry) < 0; old = before[++at]) yield removed(old);
    const old = before[at];
    if (old === undefined || compareKeys(old, entry) > 0) {
      yield { key: entry, difference: { what: "added", changes: [], entry } };
      continue;
    }
    at += 1;
    const changes = differences(old, entry);
    yield { key: entry, difference: changes.length === 0 ? null : { what: "changed", changes, entry } };
  }
  for (const old of before.slice(at)) yield removed(old);
}

function shown({ what, changes, entry }: Found, { root, names }: Key, { roots }: Baseline): Difference {
  if (entry.type === "setting") return { what, changes, type: entry.type, path: names[0] ?? "" };
  const top = roots[root] ?? "";
  const { name, ...bytes } = showName(joined(names.map(decodeName)));
  return { what, path: names.length === 0 ? top : `${top === "/" ? "" : top}/${name}`, ...bytes, type: entry.type, changes };
}

const Cursor = z.tuple([z.number().int(), z.array(z.string())]);

function cursorOf({ root, names }: Key): string {
  return Buffer.from(JSON.stringify([root, names])).toString("base64url");
}

/** @throws {ToolError} */
function keyOf(cursor: string): Key {
  try {
    const [root, names] = Cursor.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    return { root, names };
  } catch {
    throw new ToolError(`going on at ${quote(cursor)} failed: no answer has given such a cursor; begin without one`);
  }
}
