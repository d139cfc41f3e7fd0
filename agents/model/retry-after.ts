/** When a provider says that it wants to be asked again. */

/** RFC 9110 §5.6.7: the one form of a date that is written today. */
const date = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** More than a day is not believed: the header is a stranger's. */
const wait_ms_max = 24 * 3_600_000;

/**
 * `retry-after-ms` (OpenAI's own), else `retry-after` (RFC 9110 §10.2.3): seconds or a date. A date counts from the `date` that
 * came with it, for our clock may be wrong.
 *
 * @returns milliseconds from now; null when nothing was said, or nothing that can be understood
 */
export function retryAfterMs(headers: Headers, now_ms = Date.now()): number | null {
  const fine = decimal(headers.get("retry-after-ms"));
  if (fine !== null) return bounded(fine);
  const text = headers.get("retry-after");
  const seconds = decimal(text);
  if (seconds !== null) return bounded(seconds * 1000);
  const date_ms = text !== null && date.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date_ms)) return null;
  const sent_ms = Date.parse(headers.get("date") ?? "");
  return bounded(date_ms - (Number.isNaN(sent_ms) ? now_ms : sent_ms));
}

function decimal(text: string | null): number | null {
  return text !== null && /^\s*\d{1,12}(\.\d{1,9})?\s*$/.test(text) ? Number(text) : null;
}

function bounded(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms), 0), wait_ms_max);
}
