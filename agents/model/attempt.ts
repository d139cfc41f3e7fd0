/** One try with an SDK that streams: the same for all of them, from the request to the reply or to why there is none. */

import { type ChatRequest, Reply, Tokens } from "../../contracts/model/chat.ts";
import { failureOf } from "./failure.ts";
import { ChatError, type Hears, type Spent } from "./port.ts";

/** Puts a reply together, event by event. */
export interface Reader<Event> {
  take(event: Event, onText: (delta: string) => void): void;
  /** The answer has begun: a token of it was there. */
  readonly began: boolean;
  /** What the provider has counted so far. */
  readonly tokens: Tokens | null;
  /** @throws {ChatError} when the stream broke off, or says nonsense */
  end(): Reply;
}

export interface Try {
  readonly name: string;
  readonly key: string;
  readonly request: ChatRequest;
  readonly signal: AbortSignal;
  readonly hears: Hears;
}

/** @param open makes the request; it may be given up from within (`http.ts`) */
export async function attemptWith<Event>(
  { name, key, request, signal, hears }: Try,
  reader: Reader<Event>,
  open: (give_up: AbortController, signal: AbortSignal) => PromiseLike<AsyncIterable<Event>>,
): Promise<Reply> {
  const give_up = new AbortController();
  // what an SDK's types promise, nobody has looked at
  const onText = (delta: string): void => {
    if (typeof delta === "string") hears.text(delta);
  };
  try {
    for await (const event of await open(give_up, signal)) {
      hears.alive();
      const before = reader.began;
      reader.take(event, onText);
      if (!before && reader.began) hears.token();
    }
    // an SDK's stream that was aborted ends as if it had ended
    signal.throwIfAborted();
    give_up.signal.throwIfAborted();
    return checked(reader.end());
  } catch (error) {
    const cause: unknown = signal.aborted ? signal.reason : give_up.signal.aborted ? give_up.signal.reason : error;
    throw failureOf(cause, { name, key, spent: spentAtMost(reader.tokens, request) });
  } finally {
    give_up.abort(); // nothing of this try goes on
  }
}

/** @throws {ChatError} */
function checked(reply: Reply): Reply {
  const read = Reply.safeParse(reply);
  if (read.success) return read.data;
  const where = read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  throw new ChatError("unreachable", `what came is not what the protocol says (${where.slice(0, 200)})`, { again: true, spent: "unknown" });
}

/** Once it has begun, the input is known, and the output is what was asked for at most. */
function spentAtMost(tokens: Tokens | null, { tokens_max }: ChatRequest): Spent {
  return !Tokens.safeParse(tokens).success || tokens === null
    ? "unknown"
    : { ...tokens, output_tokens: Math.max(tokens.output_tokens, tokens_max) };
}
