/**
 * Temperatures as parts of what the part may have (Documentation/hwmon/sysfs-interface.rst): of its critical temperature, or
 * of its maximum where it names no other. A part that names neither is not judged.
 */

import { readdirSync } from "node:fs";
import type { Figure } from "../figure.ts";
import { readText } from "./read-text.ts";

export function readHeat(sys = "/sys"): Figure[] {
  const folder = `${sys}/class/hwmon`;
  return entries(folder).flatMap((chip) =>
    entries(`${folder}/${chip}`)
      .filter((name) => /^temp\d+_input$/.test(name))
      .flatMap((name) => heatOf(`${folder}/${chip}`, chip, name.replace("_input", ""))),
  );
}

function heatOf(folder: string, chip: string, part: string): Figure[] {
  const celsius = (what: string): number => Number(readText(`${folder}/${part}_${what}`) || Number.NaN) / 1000;
  const now = celsius("input");
  const limit = [celsius("crit"), celsius("max")].find((one) => one > 0);
  if (!Number.isFinite(now) || limit === undefined) return [];
  return [{ figure: "heat.of_limit_ratio", subject: `${chip}/${part}`, value: now / limit, detail: `${now} °C of ${limit} °C` }];
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
