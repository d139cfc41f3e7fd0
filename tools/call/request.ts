/** A call as the broker holds it: what was asked, and who asks. The caller's word for who it is never gets here. */

import { z } from "zod";
import { CallId, CallMeta, Principal, Role } from "../../contracts/tool.ts";

export const Request = z.strictObject({
  principal: Principal,
  /** Of a person. */
  role: Role.nullable(),
  /** The tier that calls in an agent's name. */
  owner: Principal.nullable(),
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  meta: CallMeta,
  /**
   * The call that this one takes back, for which the tool's `undo` runs instead of the tool; whether it is the principal's own; and which
   * later calls do not stand against it.
   */
  undoes: z.strictObject({ call: CallId, own: z.boolean(), passed_over: z.array(CallId).default([]) }).nullable(),
  /** The undo that this one takes back, by making the first call anew. */
  redoes: CallId.nullable(),
});
export type Request = z.infer<typeof Request>;
