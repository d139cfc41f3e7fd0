/**
 * A question in a person's words, as terms to look for. What a person types is never read as FTS5 syntax: only letters,
 * digits and a few signs between them come through, each term as a quoted phrase.
 */

/** More words than this say nothing more. */
export const terms_max = 16;
const term_chars_max = 64;

/** `nginx.service`, `/dev/vda1` and `10.0.0.1` are each one phrase. */
const term_pattern = /[\p{L}\p{N}]+(?:[._:/@-][\p{L}\p{N}]+)*/gu;

/** Words of questions that say nothing about what is asked for. Dropped unless nothing else is left. */
const stop_words = new Set(
  (
    "a an and any are as at be been but by can could did do does for from had has have how i if in into is it its me my not of on or our " +
    "out should so some that the their them then there these they this to up us was we were what when where which while who why will " +
    "with would you your after again all also about just happened happen tell show find please last time " +
    "because get gets got getting come comes came back too much many long other now way end going went gone go goes one two three day days " +
    "night nightly still keep keeps kept make makes made take takes took taken give gives gave given need needs needed want wants wanted " +
    "use uses used using work works working new old big small down off over under than into onto very more most less only own same " +
    "different without within through during before until since between somebody someone something anybody anything everybody everything " +
    "nobody nothing whom whose"
  ).split(" "),
);

/** @returns distinct terms in the order of the question; empty when it holds no word */
export function termsOf(question: string): string[] {
  const found = question.normalize("NFC").toLowerCase().match(term_pattern) ?? [];
  const terms = [...new Set(found.map((term) => term.slice(0, term_chars_max)))];
  const telling = terms.filter((term) => !stop_words.has(term));
  return (telling.length > 0 ? telling : terms).slice(0, terms_max);
}

/** The parts of a term that was not found as a phrase. */
export function partsOf(term: string): string[] {
  return term.split(/[._:/@-]/).filter((part) => part !== "");
}

/** As FTS5 takes it: a term holds no quotes. */
export function phrase(term: string): string {
  return `"${term}"`;
}
