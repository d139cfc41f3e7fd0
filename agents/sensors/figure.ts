/** What sensors measure. */

/** One figure of one subject. */
export interface Figure {
  readonly figure: string;
  /** A name of ours: a mount, a service, an interface, a port; what has none is told apart by number or hash. */
  readonly subject: string;
  readonly value: number;
  /** For people, in words of ours. */
  readonly detail?: string;
  /** Text from outside that belongs to it: the name of a process, a path. */
  readonly untrusted?: string;
}

export interface Sensor {
  readonly name: string;
  readonly every_ms: number;
  /** What it measures, each time completely: a subject that is not among the answers is gone. */
  readonly figures: readonly string[];
  /**
   * @returns null where nobody has set up what it looks at: that is no fault, `says` tells it, and what was found before stays as it is
   * @throws when it sees nothing: what was found before stays as it is
   */
  look(now_ms: number): readonly Figure[] | null | Promise<readonly Figure[] | null>;
  /** What people are to know of how it sees, after it has looked; null: nothing. */
  says?(): string | null;
}
