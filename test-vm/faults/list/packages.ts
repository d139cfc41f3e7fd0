/** Packages: an update that breaks a service, a change that was cut off, a weakness that is known. */

import type { Fault } from "../fault.ts";
import { type PackagesGround, talker } from "../repository.ts";

/** What the update itself brings. */
const traces = [/^file\/srv\/repository/, new RegExp(`^service/${talker.service}$`)];

export const package_faults: readonly Fault<PackagesGround>[] = [
  {
    name: "package-update-breaks",
    family: "packages",
    what: "after an update of its package a service ends at once, again and again",
    noticed: { alarms: ["service-crash-loop", "service-down"], subject: talker.service, rules: ["service-dead"] },
    traces,
    async inject({ packages }) {
      const before = await packages.version();
      const bad = await packages.offer("ends");
      await packages.update();
      return async () => (await packages.runs()) && (await packages.version()) === before && before !== bad;
    },
    clean: async ({ packages }) => void (await packages.offer("runs")),
  },
  {
    name: "package-change-cut-off",
    family: "packages",
    what: "power failed in the middle of a change of packages: what was to count is not all there",
    noticed: { alarms: ["userland-broken"] },
    inject: ({ packages }) => packages.halve(),
  },
  {
    name: "package-vulnerable",
    family: "packages",
    what: "an advisory says that the installed version of a package is weak, and there is a newer one",
    noticed: { alarms: ["package-vulnerable"], subject: talker.package },
    traces,
    async inject({ packages }) {
      const mended = await packages.offer("runs");
      await packages.advise(mended);
      return async () => (await packages.version()) === mended && (await packages.runs());
    },
    clean: ({ packages }) => packages.withdraw(),
  },
];
