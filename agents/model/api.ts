/** What every provider's API needs. */

import type { Way } from "./http.ts";

export interface ApiOptions {
  readonly model: string;
  readonly base_url: string;
  /** Empty: the server wants none. */
  readonly key: string;
  readonly way: Way;
}
