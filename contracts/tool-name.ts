/** Apart, because decisions name tools and calls name decisions. */

import { z } from "zod";

/** `family.verb` */
export const ToolName = z
  .string()
  .regex(/^[a-z]{2,12}\.[a-z][a-z0-9_]{0,30}$/, "a tool is named family.verb in lower case, for example fs.read");
