import { expect, test } from "bun:test";
import type { Health } from "../../contracts/service.ts";
import { ownFigures } from "./own.ts";

const saying = (facts: Health["facts"]): Health => ({ status: "ok", detail: "", facts, resources: { rss_bytes: 1, cpu_ms: 1, fds: 1 } });
const told = (name: string, facts: Health["facts"]) =>
  ownFigures([{ name, health: saying(facts) }]).map(({ figure, subject, value, detail }) => [figure, subject, value, detail]);

test("money, providers, and models of this machine, by what the tiers say; a tier that says nothing has none", () => {
  expect(ownFigures([{ name: "strategic", health: null }])).toEqual([]);
  expect(told("strategic", { model: "none" })).toEqual([]);
  expect(told("strategic", { model: "claude", providers_failing: 1, budget_hour_used_ratio: 0.95, budget_day_used_ratio: 0.2 })).toEqual([
    ["own.budget_used_ratio", "hour", 0.95, "95 % of an hour's budget are used"],
    ["own.budget_used_ratio", "day", 0.2, "20 % of a day's budget are used"],
    ["own.providers_failing", "strategic", 1, "1 of its providers are left alone for a while"],
  ]);
  expect(told("tactical", { model: "small", model_error: "", model_late_ratio: 0.5, model_wrong_ratio: 0 })).toEqual([
    ["own.model_late_ratio", "tactical", 0.5, "50 % of its last answers came too late"],
    ["own.model_wrong_ratio", "tactical", 0, "0 % of its last answers did not fit"],
    ["own.model_not_as_chosen", "tactical", 0, "as chosen"],
  ]);
  expect(told("tactical", { model: "small", model_error: "large: it needs 9 GB" }).at(-1)).toEqual([
    ...["own.model_not_as_chosen", "tactical", 1, '"small" answers instead: large: it needs 9 GB'],
  ]);
  expect(told("tactical", { model: "none", model_error: "they are switched off", model_off: true }).at(-1)?.[2]).toBe(0);
});
