/** Cases of the tools of memory (testing/case.ts), with the real memory behind them. */

import type { ToolCase } from "../../testing/case.ts";
import { forget_cases } from "./testing/forget.ts";
import { keep_cases } from "./testing/keep.ts";
import { learn_cases } from "./testing/learn.ts";
import { now_cases } from "./testing/now.ts";
import { remember_cases } from "./testing/remember.ts";

export const memory_cases: readonly ToolCase[] = [...remember_cases, ...now_cases, ...learn_cases, ...keep_cases, ...forget_cases];
