/**
 * What logs say that they did not say before, or far more often: by the templates that memory mines (memory/templates/). An anomaly is
 * a reason to look, and none to act: whoever can write into a log can make one. So nothing of a line's own words is told: the
 * template by its number, the log by its name, and the values of an example with their kinds, as text from outside.
 */

import type { ToolAnswer } from "../../../contracts/tool-answers.ts";
import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

type Unusual = ToolAnswer<"memory.templates">["unusual"][number];
type Template = Unusual["template"];

const why = "the patrol looks whether logs say something new, or far more often than usual";
/** How long something is new. */
const new_ms = 900_000;
/** In a log that is read for a shorter time everything is new. */
const log_known_ms_min = 1_800_000;
/** A burst is told as going on until nothing has come of it for two of the minutes by which memory counts, and then as over for a while. */
const going_on_ms = 120_000;
const over_ms = 900_000;
const asked_max = 100;
/** Told at a time, the oldest first, so that what is told stays so. */
const told_max = 8;
const remembered_max = 64;
const values_max = 6;
const value_chars_max = 48;
/** A source is a service's name, or the kernel; text that has another form is not ours. */
const name_of_ours = /^[a-z][a-z0-9-]{0,30}$/;

export class LogPatrol {
  readonly #pace: number;
  /** What is told of a template, read once; by its number. */
  readonly #told = new Map<number, Pick<Figure, "detail" | "untrusted">>();

  /** @param pace times are so many times shorter */
  constructor(pace: number) {
    this.#pace = pace;
  }

  /** @param now_ms wall clock */
  async look(ask: AskTool, now_ms = Date.now()): Promise<Figure[]> {
    const since_ms = now_ms - new_ms / this.#pace;
    const novel = await ask("memory.templates", { unusual: true, level_min: "warning", silent: false, since_ms, limit: asked_max }, why);
    const often = await ask("memory.templates", { unusual: true, silent: false, since_ms: now_ms - over_ms, limit: asked_max }, why);
    const figures: Figure[] = [];
    const news = novel.unusual.filter((one) => one.new && !one.template.vague && one.log_known_ms >= log_known_ms_min / this.#pace);
    for (const { template } of news.sort((a, b) => a.template.first_ms - b.template.first_ms).slice(0, told_max))
      figures.push({
        figure: "log.novel_lines",
        subject: subjectOf(template),
        value: template.lines,
        ...(await this.#about(ask, template)),
      });
    for (const { template, times } of burstsOf(often.unusual, now_ms))
      figures.push({ figure: "log.times_usual", subject: subjectOf(template), value: times, ...(await this.#about(ask, template)) });
    return figures;
  }

  async #about(
    ask: AskTool,
    { id, level }: { readonly id: number; readonly level?: string },
  ): Promise<Pick<Figure, "detail" | "untrusted">> {
    const known = this.#told.get(id);
    if (known !== undefined) return known;
    const { one } = await ask("memory.templates", { id }, why);
    const [source = "unknown"] = one?.sources.map((of) => of.source) ?? [];
    const [example] = one?.examples ?? [];
    const values =
      example?.parameters.slice(0, values_max).map(({ kind, untrusted }) => `${kind}=${untrusted.slice(0, value_chars_max)}`) ?? [];
    const about = {
      detail: `template ${id} of the log of ${name_of_ours.test(source) ? source : "a source with another name"}, ${level}`,
      ...(values.length === 0 ? {} : { untrusted: values.join(" ") }),
    };
    if (this.#told.size >= remembered_max) this.#told.delete([...this.#told.keys()][0] ?? id);
    this.#told.set(id, about);
    return about;
  }
}

/** Those under way by how many times the usual they come; those that are over with 0, for a while. */
function burstsOf(unusual: readonly Unusual[], now_ms: number): { readonly template: Template; readonly times: number }[] {
  return unusual
    .flatMap(({ template, burst }) => {
      if (burst === null || template.vague) return [];
      return [{ template, times: now_ms - burst.last_ms <= going_on_ms ? burst.times_usual : 0, last_ms: burst.last_ms }];
    })
    .sort((a, b) => b.times - a.times || b.last_ms - a.last_ms)
    .slice(0, told_max);
}

function subjectOf({ id }: Template): string {
  return `template-${id}`;
}
