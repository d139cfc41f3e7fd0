/** Stops services so that each ends before those that it comes after. */

interface Stoppable {
  stop(name: string, cause: string): Promise<void>;
  stopOrder(): readonly string[];
  /** What a service comes after. */
  after(name: string): readonly string[];
}

export async function stopInOrder(services: Stoppable, which: (name: string) => boolean): Promise<string> {
  const order = services.stopOrder().filter(which);
  const stopped = new Map<string, Promise<void>>();
  for (const name of order) {
    const dependents = order.filter((other) => services.after(other).includes(name));
    const before = dependents.map((other) => stopped.get(other) ?? Promise.resolve());
    stopped.set(
      name,
      Promise.all(before).then(() => services.stop(name, "shutdown")),
    );
  }
  await Promise.all(stopped.values());
  return `${order.length} stopped`;
}
