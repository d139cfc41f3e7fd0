/** PID 1 as the console needs it. */

import type { InitPeer } from "../../wire/service.ts";

export type InitPort = Pick<InitPeer, "call">;
