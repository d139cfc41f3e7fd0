/** The system's own means to think, by what the tiers say in their health: money, models behind APIs, models of this machine. */

import type { Health, ServiceStatus } from "../../contracts/service.ts";
import type { Figure } from "./figure.ts";

export const own_figures = [
  "own.budget_used_ratio",
  "own.providers_failing",
  "own.model_not_as_chosen",
  "own.model_late_ratio",
  "own.model_wrong_ratio",
];

/** The facts of a tier that are figures, with what each is of. */
const of_facts = [
  { fact: "budget_hour_used_ratio", figure: "own.budget_used_ratio", subject: () => "hour", words: share("of an hour's budget are used") },
  { fact: "budget_day_used_ratio", figure: "own.budget_used_ratio", subject: () => "day", words: share("of a day's budget are used") },
  {
    ...{ fact: "providers_failing", figure: "own.providers_failing", subject: (tier: string) => tier },
    words: (value: number) => `${value} of its providers are left alone for a while`,
  },
  {
    fact: "model_late_ratio",
    figure: "own.model_late_ratio",
    subject: (tier: string) => tier,
    words: share("of its last answers came too late"),
  },
  {
    fact: "model_wrong_ratio",
    figure: "own.model_wrong_ratio",
    subject: (tier: string) => tier,
    words: share("of its last answers did not fit"),
  },
] as const;

function share(of_what: string): (value: number) => string {
  return (value) => `${Math.round(value * 100)} % ${of_what}`;
}

export function ownFigures(services: readonly Pick<ServiceStatus, "name" | "health">[]): Figure[] {
  return services.flatMap(({ name, health }) =>
    health === null ? [] : [...figuresOf(name, health.facts), ...chosenOf(name, health.facts)],
  );
}

function figuresOf(tier: string, facts: Health["facts"]): Figure[] {
  return of_facts.flatMap(({ fact, figure, subject, words }) => {
    const value = facts[fact];
    return typeof value === "number" ? [{ figure, subject: subject(tier), value, detail: words(value) }] : [];
  });
}

/** A model that was chosen and is not the one that answers: the one before goes on, or none does. */
function chosenOf(tier: string, { model, model_error, model_off }: Health["facts"]): Figure[] {
  if (typeof model !== "string" || typeof model_error !== "string") return [];
  const value = model_error === "" || model_off === true ? 0 : 1;
  const instead = model === "none" ? "none answers" : `"${model}" answers instead`;
  return [
    {
      figure: "own.model_not_as_chosen",
      subject: tier,
      value,
      detail: value === 0 ? "as chosen" : `${instead}: ${model_error}`.slice(0, 200),
    },
  ];
}
