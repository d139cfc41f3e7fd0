/** What is secret: kept, handed to those that use it, renewed, deleted; never given back. */

import type { AnyTool } from "../../tool.ts";
import { secretDelete } from "./secret_delete.ts";
import { secretList } from "./secret_list.ts";
import { secretPut } from "./secret_put.ts";
import { secretRotate } from "./secret_rotate.ts";
import { secretUse } from "./secret_use.ts";

export const secret_tools: readonly AnyTool[] = [secretDelete, secretList, secretPut, secretRotate, secretUse];
