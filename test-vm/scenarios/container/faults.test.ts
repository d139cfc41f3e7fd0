/** A few of the faults of `make faults`, each once: noticed, put right without people, nothing else changed; and what is no fault left alone. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { controls } from "../../faults/controls/index.ts";
import { faults } from "../../faults/list/index.ts";
import { armOf } from "../../faults/ours/arm.ts";
import { type Ours, startOurs } from "../../faults/ours/system.ts";
import { type Arm, tryControl, tryFault } from "../../faults/trial.ts";

const pace = 30;
const limit_ms = 600_000;
const chosen_faults = ["service-killed", "memory-leak", "port-closed", "hostname-changed", "firewall-flushed"];
const chosen_controls = ["restart-by-a-person", "log-full-of-errors", "declared-listener"];

let ours: Ours;
let arm: Arm;
beforeAll(async () => {
  ours = await startOurs(pace);
  arm = armOf(ours);
}, limit_ms);
afterAll(() => ours?.end());

test.each(faults.filter(({ name }) => chosen_faults.includes(name)))(
  "$what: noticed and put right",
  async (fault) => {
    const result = await tryFault(arm, fault, 1);
    expect(result).toMatchObject({ trouble: null, detected: true, repaired: true, stable: true, collateral: [] });
    expect(result.incidents.every((state) => state === "solved")).toBe(true);
  },
  limit_ms,
);

test.each(controls.filter(({ name }) => chosen_controls.includes(name)))(
  "$what: left alone",
  async (control) => {
    const result = await tryControl(arm, control, 1);
    expect(result).toMatchObject({ trouble: null, decisions: 0, incidents: [], collateral: [] });
  },
  limit_ms,
);
