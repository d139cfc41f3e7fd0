/** The order of services: those that come after others, checked when a table is loaded. */

export interface Ordered {
  readonly name: string;
  readonly after: readonly string[];
}

/** A table of services that cannot be run. */
export class OrderError extends Error {
  override readonly name = "OrderError";
}

/**
 * Every service after all those that it comes after; otherwise as given.
 * @throws {OrderError} on a cycle, with its members in order, or on a name that is not in the table or there twice
 */
export function inOrder<S extends Ordered>(services: readonly S[]): S[] {
  const by_name = new Map<string, S>();
  for (const service of services) {
    if (by_name.has(service.name)) throw new OrderError(`loading services failed: "${service.name}" is there twice; rename one`);
    by_name.set(service.name, service);
  }
  const sorted: S[] = [];
  const done = new Set<string>();
  for (const service of services) visit(service, [], by_name, done, sorted);
  return sorted;
}

function visit<S extends Ordered>(service: S, path: readonly string[], by_name: ReadonlyMap<string, S>, done: Set<string>, sorted: S[]) {
  if (done.has(service.name)) return;
  const here = path.indexOf(service.name);
  if (here >= 0) {
    const cycle = [...path.slice(here), service.name].map((name) => `"${name}"`).join(" after ");
    throw new OrderError(`loading services failed: they wait for each other: ${cycle}; take one "after" away`);
  }
  for (const name of service.after) {
    const before = by_name.get(name);
    if (before === undefined)
      throw new OrderError(`loading services failed: "${service.name}" comes after "${name}": there is no such service`);
    visit(before, [...path, service.name], by_name, done, sorted);
  }
  done.add(service.name);
  sorted.push(service);
}
