/** Work that must not run beside itself: each piece begins when the one before has ended, however that ended. */

export type InTurn = <T>(work: () => T | Promise<T>) => Promise<T>;

export function turns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
}
