/** Long-term memory, as it is asked over the socket. */

import type { longterm_methods } from "../../contracts/memory/longterm.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { Keeper } from "../keeper.ts";

export function longtermHandlers(_keeper: Keeper): Handlers<typeof longterm_methods> {
  const absent = (): never => {
    throw new RpcError(rpc_error.unavailable, "long-term memory is not there yet");
  };
  return {
    append: absent,
    search: absent,
    recall: absent,
    timeline: absent,
    link: absent,
    trace: absent,
    pin: absent,
    quarantine: absent,
    used: absent,
    stats: absent,
  };
}
