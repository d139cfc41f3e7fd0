/** What went wrong with a try, by whichever SDK it was made: the kind, whether to try again, what it has cost, in words without the key. */

import type { ChatErrorKind } from "../../contracts/model/chat.ts";
import { ChatError, type Spent } from "./port.ts";
import { retryAfterMs } from "./retry-after.ts";

interface Attempted {
  /** For people: `anthropic claude-opus-5-5`. */
  readonly name: string;
  readonly key: string;
  /** What had come before it failed: `unknown` unless the provider has told. */
  readonly spent: Spent;
}

interface Class {
  readonly kind: ChatErrorKind;
  readonly again: boolean;
  readonly todo: string;
}

const words_chars_max = 300;

const wait: Class = { kind: "limited", again: true, todo: "" };
const broken: Class = { kind: "unreachable", again: true, todo: "" };
const refused: Class = { kind: "rejected", again: false, todo: "" };
const key_wrong: Class = {
  kind: "unauthorised",
  again: false,
  todo: "; check the key of this provider in tiers.strategic.providers",
};
const no_credit: Class = { kind: "unauthorised", again: false, todo: "; there is no credit left at the provider: look at its console" };

/** By status (RFC 9110; 529 is Anthropic's "overloaded"). */
function byStatus(status: number): Class {
  if (status === 401 || status === 403) return key_wrong;
  if (status === 402) return no_credit;
  if (status === 429 || status === 503 || status === 529) return wait;
  if (status === 408 || status === 409 || status >= 500) return broken;
  return refused;
}

/** By what an error calls itself, where it comes within a stream and has no status. */
const by_type: Readonly<Record<string, Class>> = {
  overloaded_error: wait,
  rate_limit_error: wait,
  api_error: broken,
  timeout_error: broken,
  server_error: broken,
  invalid_request_error: refused,
  authentication_error: key_wrong,
  permission_error: key_wrong,
};

/** What says more than the status: a rate that is no rate but a bill. */
const over_status: Readonly<Record<string, Class>> = {
  billing_error: no_credit,
  insufficient_quota: no_credit,
  enforced_spend_limit_reached: no_credit,
};

/** The request was never taken: names and connections, certificates (as node:tls names what is wrong with them). */
const never_sent = /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|ENETUNREACH|EHOSTUNREACH|ENETDOWN|EADDRNOTAVAIL)$/;
const certificate = /CERT|SIGNATURE|ISSUER|SELF_SIGNED|ERR_TLS/;

/** @param error what an SDK or the way to it threw */
export function failureOf(error: unknown, attempted: Attempted): ChatError {
  if (error instanceof ChatError) return named(error, attempted);
  const status = statusOf(error);
  const types = typesOf(error);
  const said = classOf(over_status, types) ?? (status === null ? classOf(by_type, types) : byStatus(status));
  return said === null ? notAnswered(error, attempted) : answered(error, said, status, types, attempted);
}

function classOf(classes: Readonly<Record<string, Class>>, types: readonly string[]): Class | null {
  const known = types.filter((type) => Object.hasOwn(classes, type));
  return classes[known.at(-1) ?? ""] ?? null;
}

/** It answered with an error. One that came instead of a stream costs nothing. */
function answered(error: unknown, { kind, again, todo }: Class, status: number | null, types: readonly string[], attempted: Attempted) {
  const headers = typeof error === "object" && error !== null && "headers" in error ? error.headers : null;
  const retry_after_ms = headers instanceof Headers ? retryAfterMs(headers) : null;
  // what is wrong with a key is told with a part of the key
  const words = kind === "unauthorised" ? "" : `: ${quoted(error, attempted.key)}`;
  const what = [status === null ? "an error within the stream" : `status ${status}`, ...types.slice(-1).map((type) => clean(type))];
  return new ChatError(kind, `asking ${attempted.name} failed: ${what.join(", ")}${words}${todo}`, {
    again,
    retry_after_ms,
    spent: status === null ? attempted.spent : "nothing",
  });
}

/** No answer at all, or it broke off. */
function notAnswered(error: unknown, attempted: Attempted): ChatError {
  const code = codeOf(error);
  const spent = never_sent.test(code) || certificate.test(code) ? "nothing" : attempted.spent;
  const again = !certificate.test(code);
  const todo = again ? "" : "; give the authority that signs for it as `ca` of the provider";
  const words = `asking ${attempted.name} failed: ${code === "" ? "" : `${clean(code)}, `}${quoted(error, attempted.key)}${todo}`;
  return new ChatError("unreachable", words, { again, spent });
}

function named(error: ChatError, { name, key, spent }: Attempted): ChatError {
  const { kind, again, retry_after_ms } = error;
  const ours = kind === "cancelled" || kind === "timeout"; // it says what happened as it is
  const message = ours ? error.message : withoutKey(`asking ${name} failed: ${error.message}`, key);
  return new ChatError(kind, message, { again, retry_after_ms, spent: error.spent === "unknown" ? spent : error.spent });
}

function statusOf(error: unknown): number | null {
  return error instanceof Error && "status" in error && typeof error.status === "number" ? error.status : null;
}

/** What both SDKs keep of an error's body, from the general to the particular. */
function typesOf(error: unknown): string[] {
  if (typeof error !== "object" || error === null) return [];
  const members: readonly unknown[] = [
    "type" in error ? error.type : null,
    "code" in error && statusOf(error) !== null ? error.code : null,
    "errorCode" in error ? error.errorCode : null,
  ];
  return members.filter((one) => typeof one === "string");
}

/** Of the error or of what caused it. */
function codeOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if ("code" in at && typeof at.code === "string") return at.code;
  return "";
}

function quoted(error: unknown, key: string): string {
  return `"${clean(withoutKey(deepest(error), key)).slice(0, words_chars_max)}"`;
}

/** SDKs say "Connection error." and keep what happened as the cause. */
function deepest(error: unknown): string {
  let text = error instanceof Error ? error.message : String(error);
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) text = at.message;
  return text;
}

/** A stranger's words: no control characters, no line of ours can be imitated. */
function clean(text: string): string {
  return text.replace(/[\p{C}"]+/gu, " ").trim();
}

/** Whole, or any part of it long enough to be of use. */
function withoutKey(text: string, key: string): string {
  const part = 8;
  if (key === "") return text;
  let safe = text.replaceAll(key, "(key)");
  for (let at = 0; at + part <= key.length; at += 1) safe = safe.replaceAll(key.slice(at, at + part), "(key)");
  return safe;
}
