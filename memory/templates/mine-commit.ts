/** Lines that arrive in one turn of the event loop are mined together, in one durable transaction. */

import { GroupCommit } from "../../wire/group-commit.ts";
import type { Keeper } from "../keeper.ts";
import type { Value } from "./pattern.ts";
import type { Line, Mined, Seen, Templates } from "./templates.ts";

export interface Batch {
  readonly lines: readonly Line[];
  /** Told of each line, before it is durable. */
  readonly each?: (mined: Mined, values: () => Value[]) => void;
  readonly events?: readonly Seen[];
  /** What else is to be durable with these lines. */
  readonly also?: (templates: Templates) => void;
}

export class MineCommit extends GroupCommit<Batch, true> {
  constructor(keeper: Keeper) {
    const write = (batches: readonly Batch[]): true[] => {
      try {
        return keeper.write(({ templates }) => batches.map((batch) => mine(templates, batch)));
      } catch (error) {
        keeper.parts.templates.reload();
        throw error;
      }
    };
    super({ write, onFailed: () => {} });
  }
}

function mine(templates: Templates, { lines, each, events, also }: Batch): true {
  templates.take(lines, each, events);
  also?.(templates);
  return true;
}
