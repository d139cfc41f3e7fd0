/** What every view gets: how wide, in which colours, and what time it is there. */

import type { Paint } from "../text/style.ts";

export interface View {
  readonly paint: Paint;
  /** Columns of the terminal; none when the output goes elsewhere, and nothing is cut. */
  readonly width: number | undefined;
}
