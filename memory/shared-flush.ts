/**
 * Changes that arrive in one turn of the event loop share a transaction, and so a flush (wire/group-commit.ts). Each is a
 * savepoint of it: one that is refused leaves nothing behind, and the others stay. What fails because of the disk fails for
 * all of them; then each is tried by itself, so that one that is too large does not take the others along.
 */

import { codeOf, isDamage } from "../wire/database.ts";
import { GroupCommit } from "../wire/group-commit.ts";
import type { Keeper } from "./keeper.ts";
import type { Parts } from "./parts.ts";

type Settle = () => void;

interface Change {
  /** @returns what tells the caller, once it is durable */
  run(parts: Parts): Settle;
  refused(error: unknown): Settle;
}

export class SharedFlush {
  readonly #keeper: Keeper;
  readonly #commits: GroupCommit<Change, Settle>;

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
    // the keeper has noted it already
    this.#commits = new GroupCommit({ write: (changes) => this.#write(changes), onFailed: () => {} });
  }

  run<T>(change: (parts: Parts) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = (parts: Parts): Settle => {
        const result = change(parts);
        return () => resolve(result);
      };
      const refused =
        (error: unknown): Settle =>
        () =>
          reject(error);
      this.#commits.append({ run, refused }).then((settle) => settle(), reject);
    });
  }

  flush(): void {
    this.#commits.flush();
  }

  #write(changes: readonly Change[]): Settle[] {
    try {
      return this.#keeper.write((parts) => changes.map((change) => within(parts, change)));
    } catch (error) {
      if (changes.length === 1 || isDamage(error)) throw error;
      return changes.map((change) => this.#alone(change));
    }
  }

  #alone(change: Change): Settle {
    try {
      return this.#keeper.write(change.run);
    } catch (error) {
      return change.refused(error);
    }
  }
}

/** @throws what SQLite says: after it nobody knows what of the transaction is left */
function within(parts: Parts, change: Change): Settle {
  try {
    return parts.store.savepoint(() => change.run(parts));
  } catch (error) {
    if (codeOf(error) !== "") throw error;
    return change.refused(error);
  }
}
