/** The policies of the image themselves. */

import { beforeAll, expect, test } from "bun:test";
import { testCatalog } from "../testing/catalog.ts";
import { loadCedar } from "./cedar.ts";
import { createAuthority } from "./engine.ts";
import { faultsOfTypes, type LoadedPolicies, loadPolicies } from "./load.ts";
import { policy_files } from "./policies/index.ts";
import { ask } from "./testing/questions.ts";
import { tool_names } from "./tool-names.ts";

const cedar = loadCedar();
let loaded: LoadedPolicies;
beforeAll(async () => {
  loaded = await loadPolicies(() => cedar, policy_files);
}, 60_000);

test("hold against their examples, and speak of nothing that does not exist", () => {
  expect(loaded.faults).toEqual([]);
  expect(faultsOfTypes(cedar, loaded.policies)).toEqual([]);
}, 60_000);

test("a name that does not exist is found", async () => {
  const text = `@id("slip") @reason("a slip of the pen") @matches("tier:tactical fs.read path:/a") @spares("tier:tactical fs.list path:/a")
permit (principal, action == Action::"fs.read", resource) when { !(resource has linsk) };
@id("slop") @reason("another one of these") @matches("tier:tactical fs.read path:/a") @spares("tier:tactical fs.list path:/a")
permit (principal, action in [Action::"fs.read", Action::"fs.raed"], resource);`;
  const slips = await loadPolicies(() => cedar, { "slip.cedar": text });
  expect(slips.faults).toEqual([]);
  const faults = faultsOfTypes(cedar, slips.policies).join("\n");
  expect(faults).toContain("fs.raed");
}, 60_000);

test("know every tool of the catalogue by name", () => {
  expect(testCatalog().flatMap(({ name }) => (tool_names.has(name) ? [] : [`${name}: add it to tools/policy/tool-names.ts`]))).toEqual([]);
});

test("a refusal says what came near and what to ask for, or that nothing helps", async () => {
  const authority = await createAuthority({ cedar });
  const reason = (line: string): string => authority.decide(ask(line)).reason;
  const asked = reason("tier:operational fs.read path:/home/x");
  expect(asked).toContain('no policy lets tier:operational do fs.read (observe) on path "/home/x"');
  expect(asked).toContain("operational-files");
  expect(asked).toContain('ask for a grant of fs.read on path "/home/x" with sec.request');
  expect(reason("person:bob/observer fs.write path:/srv/a")).toContain("someone with a higher role may grant");
  const never = reason("tier:strategic fs.read path:/etc/shadow");
  expect(never).toContain("never-secrets");
  expect(never).toContain("neither a grant nor an approval changes that");
  expect(reason("tier:tactical pkg.install package:nginx")).toContain("needs a person's approval");
}, 60_000);
