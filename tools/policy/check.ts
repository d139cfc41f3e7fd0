/**
 * Holds the policies of the image against their examples and the schema, when it is built:
 *
 *   bun tools/policy/check.ts FILE
 *
 * FILE gets the digest by which a broker knows that it need not do so again. Ends with status 1 and what is wrong.
 */

import { writeFileSync } from "node:fs";
import { loadCedar } from "./cedar.ts";
import { faultsOfTypes, loadPolicies, policyDigest } from "./load.ts";
import { policy_files } from "./policies/index.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("checking the policies failed: give a file for the digest");
const cedar = loadCedar();
const { policies, faults } = await loadPolicies(cedar, policy_files);
const all = [...faults, ...faultsOfTypes(cedar, policies)];
for (const fault of all) process.stderr.write(`${fault}\n`);
if (all.length === 0) writeFileSync(file, `${policyDigest(cedar, policy_files)}\n`);
process.exit(all.length === 0 ? 0 : 1);
