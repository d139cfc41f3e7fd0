/** The system as PID 1 sees it: whether what is stored is kept, and whether a time server keeps the clock. */

import type { SystemStatus } from "../../contracts/init.ts";
import type { Figure } from "./figure.ts";

export function systemFigures({ data, clock, mode }: Pick<SystemStatus, "data" | "clock" | "mode">): Figure[] {
  const figures: Figure[] = [];
  // in a container the data are where whoever started it wants them
  if (mode === "machine")
    figures.push({ figure: "data.temporary", subject: data.mount, value: data.persistent ? 0 : 1, detail: data.detail });
  if (clock.servers.length > 0)
    figures.push({
      figure: "clock.unsynchronised",
      subject: "clock",
      value: clock.synchronised ? 0 : 1,
      detail: `${clock.servers.length} time servers are known`,
    });
  return figures;
}
