/** Runs the embedding process from the checkout: `bun memory/embed/testing/child.ts MODEL LANES`. */

import { main } from "../child.ts";

await main();
