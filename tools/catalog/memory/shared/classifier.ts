/** Which version of the classifier is in use, asked and changed. */

import type { Context } from "../../../context.ts";
import { asked, memoryOf } from "../../shared/ask-memory.ts";

export async function classifierInUse(context: Context): Promise<number | null> {
  return (await asked(memoryOf(context, "asking which classifier is in use").call("classifier.state", { limit: 1 }))).in_use;
}

export async function chooseClassifier(version: number | null, why: string, context: Context): Promise<{ was: number | null }> {
  return await asked(memoryOf(context, "choosing a classifier").call("classifier.use", { version, why }));
}
