/** Runs the process of a model from the checkout: `bun agents/model/local/testing/child.ts MODEL THREADS`. */

import { main } from "../child.ts";

await main();
