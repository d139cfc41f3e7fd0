/** Apart, because decisions name arguments and calls name decisions. */

import { z } from "zod";

/** RFC 6901; the empty pointer is the whole document. */
export const JsonPointer = z
  .string()
  .max(500)
  .regex(/^(\/([^~/]|~[01])*)*$/, "a JSON pointer like /path or /args/0 (RFC 6901)");
