/** Lines of aios.yaml for scenarios that are not about what they leave out: under emulation each of it takes seconds. */

import { type CoreService, core_services } from "../../contracts/service.ts";

/** No model of this machine runs: a sentence is a second of work, and a model takes a minute to be warm. */
export const without_models = "models: { local: false }\n";

const off = "{ enabled: false }";
/** Nor does any tier that thinks: a third of the work of a boot. */
export const without_tiers = `${without_models}tiers: { operational: ${off}, tactical: ${off}, strategic: ${off} }\n`;

const thinking: readonly CoreService[] = ["operational", "tactical", "strategic"];
/** What then runs. */
export const services_without_tiers = core_services.filter((name) => !thinking.includes(name));

/** Of the tiers that think the one that has no model anyway. */
export const strategic_only = `${without_models}tiers: { operational: ${off}, tactical: ${off} }\n`;
export const services_with_strategic: readonly CoreService[] = [...services_without_tiers, "strategic"];

/** Nobody does anything but rules, by PID 1. */
export const without_broker = `${without_tiers}services: { broker: ${off} }\n`;

/** Console and broker. */
export const broker_only = `${without_tiers}services: { memory: ${off}, reactive: ${off} }\n`;

/** Console and memory. */
export const memory_only = `${without_tiers}services: { broker: ${off}, reactive: ${off} }\n`;
export const services_of_memory_only: readonly CoreService[] = ["console", "memory"];

/** The console alone: for what PID 1 does by itself. */
export const console_only = `${without_tiers}services: { broker: ${off}, memory: ${off}, reactive: ${off} }\n`;
