/** Certificates whose private keys stay in the vault. */

import type { AnyTool } from "../../tool.ts";
import { certificateCreate } from "./certificate_create.ts";
import { certificateInspect } from "./certificate_inspect.ts";
import { certificateRenew } from "./certificate_renew.ts";
import { certificateRotate } from "./certificate_rotate.ts";

export const certificate_tools: readonly AnyTool[] = [certificateCreate, certificateInspect, certificateRenew, certificateRotate];
