/** The thresholds of the image, held against their shape. */

import { Thresholds } from "../../contracts/router.ts";
import { issuesText } from "../../wire/issues.ts";
import bundled from "./thresholds.yaml";

/** @throws when the file is wrong: the program was built with it */
export function loadThresholds(source: unknown = bundled): Thresholds {
  const parsed = Thresholds.safeParse(source);
  if (parsed.success) return parsed.data;
  throw new Error(`loading the thresholds of the router failed: ${issuesText(parsed.error)}`);
}
