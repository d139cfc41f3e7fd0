/** The well-kept foreign programs that run as services, as data. They are started by `BootContext.runProgram`. */

import type { ExtraService } from "../../contracts/config.ts";
import type { Slice } from "./cgroups.ts";

/**
 * As `ExtraService`, for programs of the image that need more: they start as root, keep only what `capabilities` names
 * (capabilities(7)) where the launcher can do that, and then drop to a user of their own by themselves.
 */
export interface Program extends Omit<ExtraService, "uid"> {
  readonly name: string;
  readonly slice: Slice;
  readonly uid: number;
  readonly capabilities: readonly string[];
  /** Folders that it writes; they exist, with the right owner, before it starts. */
  readonly writes: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}
