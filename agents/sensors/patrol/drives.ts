/** Drives, by what they say of their own health. One that says nothing is not judged. */

import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks how the drives say that they are";

/** Subjects are the kernel's names: `sda`, `nvme0n1`. */
export async function driveFigures(ask: AskTool): Promise<Figure[]> {
  const { drives } = await ask("sys.drives", {}, why);
  return drives.flatMap(({ name, health, findings, worn_ratio }) => {
    const failing = health === "unknown" ? [] : [{ figure: "drive.failing", subject: name, value: health === "failing" ? 1 : 0 }];
    const worn = worn_ratio === null ? [] : [{ figure: "drive.worn_ratio", subject: name, value: worn_ratio }];
    return [
      ...failing.map((one) => ({ ...one, detail: health === "failing" ? findings.join("; ") : "it says that it is well" })),
      ...worn.map((one) => ({ ...one, detail: `${(one.value * 100).toFixed(0)} % of the writes that it is made for` })),
    ];
  });
}
