/**
 * Who asks is known by the socket: what a caller stores says that it is of that caller, and of no other. The broker tells what
 * tiers and people did, which it has from the audit.
 */

import type { memory_methods } from "../contracts/memory.ts";
import { rpc_error } from "../contracts/rpc.ts";
import type { CoreService } from "../contracts/service.ts";
import { type Handlers, RpcError } from "../wire/peer.ts";

type Storing = Pick<Handlers<typeof memory_methods>, "append" | "decisions.append">;

const for_others: readonly CoreService[] = ["broker"];

export function speakingFor(caller: CoreService, { append, "decisions.append": decide }: Storing): Storing {
  if (for_others.includes(caller)) return { append, "decisions.append": decide };
  return {
    append: ({ memories }) => {
      for (const { id, source, tier } of memories) {
        refuseOther(caller, `remembering "${id}"`, "source", source);
        if (tier !== null) refuseOther(caller, `remembering "${id}"`, "tier", tier);
      }
      return append({ memories });
    },
    "decisions.append": ({ decisions }) => {
      for (const { id, tier } of decisions) refuseOther(caller, `keeping the decision "${id}"`, "tier", tier);
      return decide({ decisions });
    },
  };
}

function refuseOther(caller: CoreService, about: string, field: string, said: string): void {
  if (said === caller) return;
  throw new RpcError(
    rpc_error.not_permitted,
    `${about} failed: its ${field} is "${said}", and "${caller}" asks: a caller speaks for itself alone; nothing was stored`,
  );
}
