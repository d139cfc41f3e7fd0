import { z } from "zod";
import { type AuditEntry, AuditKind, AuditQuery, AuditVerdict } from "../../../contracts/audit.ts";
import { CallStatus, Principal, type Resource } from "../../../contracts/tool.ts";
import type { Audit } from "../../audit/audit.ts";
import { defineTool, type Target } from "../../tool.ts";

/** Characters of all entries of an answer, and of what one of them holds besides. */
const answer_chars_max = 48_000;
const body_chars_max = 2000;
const resources_max = 20;

const { call, event, group, since_ms, until_ms, before_seq } = AuditQuery.shape;

const Input = z.lazy(() =>
  z.strictObject({
    verify: z
      .boolean()
      .default(false)
      .describe("true: read the whole chain and say whether it is whole, instead of looking for entries; takes seconds when it is long"),
    principal: z
      .union([Principal, z.literal("*")])
      .nullable()
      .default(null)
      .describe("Whose calls: null for your own, a principal such as tier:reactive, or * for everybody's (others' need permission)"),
    tool: z.string().max(64).nullable().default(null).describe("A tool's name, or the start of one that ends in *: fs.*"),
    kind: AuditKind.nullable().default(null).describe("Only entries of this kind; outcome says how calls ended"),
    status: CallStatus.nullable().default(null).describe("Only outcomes with this status"),
    resource: z
      .string()
      .max(4200)
      .nullable()
      .default(null)
      .describe("The id of something touched, or the start of one that ends in *: /srv/*"),
    text: z.string().max(200).nullable().default(null).describe("Words that the reason, the arguments or the outcome hold"),
    call: call.describe("Only the entries of this call"),
    group: group.describe("Only the calls of this group"),
    event: event.describe("Only calls that answered this event"),
    since_ms: since_ms.describe("Not before this time, milliseconds since 1970"),
    until_ms: until_ms.describe("Not after this time, milliseconds since 1970"),
    before_seq: before_seq.describe("For the next page: next_before_seq of the last answer"),
    limit: z.number().int().min(1).max(100).default(20).describe("Entries at most"),
  }),
);

const Entry = z.lazy(() =>
  z.strictObject({
    seq: z.number().int(),
    kind: AuditKind,
    time_ms: z.number(),
    call: z.string().nullable(),
    principal: z.string(),
    tool: z.string().nullable(),
    group: z.string().nullable(),
    event: z.string().nullable(),
    status: CallStatus.nullable(),
    reason: z.string().nullable(),
    resources: z.array(z.string()).describe("access kind id, the first twenty"),
    body: z.string().describe("What the kind needs besides, as JSON, cut after 2000 characters; aiosctl audit show has the whole"),
  }),
);

const Output = z.lazy(() =>
  z.strictObject({
    entries: z.array(Entry).describe("Newest first"),
    next_before_seq: z.number().int().nullable().describe("For the next page; null when there is none"),
    verdict: AuditVerdict.nullable(),
  }),
);

type Input = z.infer<typeof Input>;
type Output = z.infer<typeof Output>;

export function auditTool(audit: Pick<Audit, "query" | "verify">) {
  return defineTool<Input, Output, Target>({
    name: "sec.audit",
    title: "Look into the audit",
    description:
      "What was done, by whom, why, under which policies and with what effect: your own calls unless you are allowed to see others'. " +
      "Use it to find out what was tried before, or what changed something. Newest first, in pages. With verify it reads the whole chain and says whether any entry was changed or is missing. " +
      "It does not take anything back (undo does), and it does not tell events or logs (sys.events, sys.logs).",
    input: Input,
    output: Output,
    risk: "observe",
    timeout_ms: 120_000,
    idempotent: true,
    // it repeats arguments and reasons of others, which may derive from text of outside
    tainted: true,
    concurrency_max: 2,
    image: null,
    resolve: (input, { principal }) => ({ resources: [resourceOf(input, principal)] }),
    async run(_target, input, { principal }) {
      if (input.verify) return { entries: [], next_before_seq: null, verdict: await audit.verify() };
      const { verify: _, principal: asked, ...filter } = input;
      const found = audit.query({ ...filter, principal: asked === "*" ? null : (asked ?? principal) });
      const entries = fitting(found.map(shortened));
      const is_last = entries.length === found.length && found.length < input.limit;
      return { entries, next_before_seq: is_last ? null : (entries.at(-1)?.seq ?? null), verdict: null };
    },
  });
}

function resourceOf(input: Input, principal: Principal): Resource {
  if (input.verify) return { kind: "system", id: "audit", access: "read", attributes: {} };
  const asked = input.principal ?? principal;
  return { kind: "principal", id: asked, access: "read", attributes: { own: asked === principal } };
}

function shortened(entry: AuditEntry): z.infer<typeof Entry> {
  const { seq, kind, time_ms, call, principal, tool, group, event, status } = entry;
  const body = JSON.stringify(entry.body);
  return {
    ...{ seq, kind, time_ms, call, principal, tool, group, event, status },
    reason: entry.reason?.text ?? null,
    resources: entry.resources.slice(0, resources_max).map(({ access, kind: what, id }) => `${access} ${what} ${id}`.slice(0, 300)),
    body: body.length > body_chars_max ? `${body.slice(0, body_chars_max)}…` : body,
  };
}

function fitting(entries: readonly z.infer<typeof Entry>[]): z.infer<typeof Entry>[] {
  let chars = 0;
  const kept: z.infer<typeof Entry>[] = [];
  for (const entry of entries) {
    chars += JSON.stringify(entry).length;
    if (kept.length > 0 && chars > answer_chars_max) break;
    kept.push(entry);
  }
  return kept;
}
