/**
 * Holds the policies of the image against their examples and the schema, when it is built:
 *
 *   bun tools/policy/check.ts FILE
 *
 * FILE gets them as they were read, so that a broker need do neither again (`checked.ts`). Ends with status 1 and what is wrong.
 */

import { writeFileSync } from "node:fs";
import { lazyCedar } from "./cedar.ts";
import { checkedText } from "./checked.ts";
import { faultsOfTypes, loadPolicies, usual_places } from "./load.ts";
import { policy_files } from "./policies/index.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("checking the policies failed: give a file for the result");
const cedar = lazyCedar();
const { policies, faults } = await loadPolicies(cedar, policy_files);
const all = [...faults, ...faultsOfTypes(cedar(), policies)];
for (const fault of all) process.stderr.write(`${fault}\n`);
if (all.length === 0) writeFileSync(file, checkedText(policies, policy_files, usual_places));
process.exit(all.length === 0 ? 0 : 1);
