/** What the strategic tier is told of the machine config: keys that stand in files are read here, for it sees no files. */

import { readFileSync, statSync } from "node:fs";
import type { ApiProvider, StrategicConfig, StrategicSettings } from "../../contracts/model/provider.ts";
import { reasonOf } from "../boot/files.ts";

const key_bytes_max = 4096;
const printable = /^[\x21-\x7e]{1,500}$/;

/** Never throws: a key that cannot be read is left as it stands, and said. */
export function strategicSettings(config: StrategicConfig): StrategicSettings {
  const problems: string[] = [];
  const providers = config.providers.map((provider): ApiProvider => {
    const { key } = provider;
    if (key === undefined || !("file" in key)) return provider;
    try {
      return { ...provider, key: { value: readKey(key.file) } };
    } catch (error) {
      problems.push(`reading the key of ${provider.kind} ${provider.model} failed: ${reasonOf(error)}`.slice(0, 500));
      return provider;
    }
  });
  return { config: { ...config, providers }, problems };
}

/** @throws what says where, and nothing of what is in it */
function readKey(path: string): string {
  const { size } = statSync(path);
  if (size > key_bytes_max) throw new Error(`"${path}" has ${size} bytes, more than a key can have`);
  const text = readFileSync(path, "utf8").trim();
  if (!printable.test(text)) throw new Error(`what "${path}" holds is no key: 1 to 500 printable characters without blanks`);
  return text;
}
