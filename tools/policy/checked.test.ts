import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lazyCedar } from "./cedar.ts";
import { checkedText, readChecked } from "./checked.ts";
import { loadPolicies, usual_places } from "./load.ts";
import { policy_files } from "./policies/index.ts";

const folder = mkdtempSync(join(tmpdir(), "aios-checked-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("what was checked is taken as it was read, and only for the very same policies in the very same places", async () => {
  const { policies } = await loadPolicies(lazyCedar(), policy_files);
  const file = join(folder, "policies.checked");
  const text = checkedText(policies, policy_files, usual_places);
  writeFileSync(file, text);
  const read = readChecked(policy_files, usual_places, file);
  expect(read?.map(({ name }) => name)).toEqual(policies.map(({ name }) => name));
  expect(read?.map(({ json }) => json)).toEqual(policies.map(({ json }) => json));
  expect(readChecked({ ...policy_files, "tiers.cedar": `${policy_files["tiers.cedar"]}\n` }, usual_places, file)).toBeNull();
  expect(readChecked(policy_files, { ...usual_places, data: "/elsewhere" }, file)).toBeNull();
  for (const broken of ["", "{", text.replace('"digest":"', '"digest":"0'), text.replace('"effect":"permit"', '"effect":"maybe"')]) {
    writeFileSync(file, broken);
    expect(readChecked(policy_files, usual_places, file)).toBeNull();
  }
  expect(readChecked(policy_files, usual_places, join(folder, "nothing"))).toBeNull();
}, 60_000);
