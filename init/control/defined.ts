/**
 * Services that the broker defines while the system runs. PID 1 keeps no file of them: after a boot the broker defines them
 * again. Their names are theirs alone: what the system or its machine config runs is not touched.
 */

import type { DefinedService } from "../../contracts/config.ts";
import { inOrder, OrderError } from "../supervise/order.ts";
import type { Supervisor } from "../supervise/supervisor.ts";
import { definedSpec, type Mode } from "../supervise/table.ts";

const services_max = 200;

/** Not defined, or not removed; nothing has changed. Knows no wire, so that PID 1 can have it before it has loaded that. */
export class DefineError extends Error {
  override readonly name = "DefineError";
  constructor(
    readonly why: "conflict" | "not_found",
    message: string,
  ) {
    super(message);
  }
}

export class DefinedServices {
  readonly #definitions = new Map<string, DefinedService>();
  readonly #supervisor: Supervisor;
  readonly #mode: Mode;

  constructor(supervisor: Supervisor, mode: Mode) {
    this.#supervisor = supervisor;
    this.#mode = mode;
  }

  list(): { service: string; definition: DefinedService }[] {
    return [...this.#definitions].map(([service, definition]) => ({ service, definition }));
  }

  /** @throws {DefineError} conflict: the name is taken, or it cannot be ordered; then all is as it was */
  define(service: string, definition: DefinedService): void {
    const about = `defining the service "${service}" failed`;
    const known = this.#definitions.has(service);
    if (!known && this.#supervisor.has(service))
      throw new DefineError("conflict", `${about}: the system has a service of this name; choose another`);
    if (!known && this.#definitions.size >= services_max)
      throw new DefineError("conflict", `${about}: ${services_max} are defined already, the most there may be; remove one`);
    const spec = definedSpec(service, definition, this.#mode);
    try {
      // looked at before anything is changed: a definition that does not fit must not replace one that does
      inOrder([...this.#supervisor.specs().filter(({ name }) => name !== service), spec]);
      this.#supervisor.put([spec]);
    } catch (error) {
      if (error instanceof OrderError) throw new DefineError("conflict", `${about}: ${error.message}`);
      throw error;
    }
    this.#definitions.set(service, definition);
  }

  /** Ends when it is gone. @throws {DefineError} not_found, conflict */
  async remove(service: string, cause: string): Promise<void> {
    const about = `removing the service "${service}" failed`;
    if (!this.#definitions.has(service)) throw new DefineError("not_found", `${about}: no such service was defined`);
    const later = this.#supervisor.specs().filter(({ after }) => after.includes(service));
    if (later.length > 0)
      throw new DefineError("conflict", `${about}: ${later.map(({ name }) => `"${name}"`).join(", ")} come after it; remove those first`);
    await this.#supervisor.stop(service, cause);
    if (this.#supervisor.state(service) !== "stopped")
      throw new DefineError("conflict", `${about}: it was started again meanwhile; try again`);
    this.#supervisor.leave(service, cause);
    this.#definitions.delete(service);
  }
}
