/** What a handler is: one for each route of the table. */

import type { z } from "zod";
import type { RouteName, routes } from "../../contracts/console.ts";
import type { Feed } from "./stream.ts";

type Routes = typeof routes;
type BodyOf<B> = B extends z.ZodType ? z.output<B> : null;

export interface Input<N extends RouteName> {
  readonly path: z.output<Routes[N]["path_params"]>;
  readonly query: z.output<Routes[N]["query"]>;
  readonly body: BodyOf<Routes[N]["body"]>;
}

/** Where an answer comes from; said in the header `aios-source`. */
export type Source = "init" | "memory" | "init-ring" | "proc" | "broker";

export interface Answer<T> {
  readonly value: T;
  readonly source: Source;
  /** What is missing from the answer and why; said in the header `aios-note`. */
  readonly note?: string;
}

type ValueOf<N extends RouteName> = Routes[N]["stream"] extends true
  ? Feed<z.input<Routes[N]["response"]>>
  : z.input<Routes[N]["response"]>;

export type Handlers = { readonly [N in RouteName]: (input: Input<N>) => Promise<Answer<ValueOf<N>>> };
