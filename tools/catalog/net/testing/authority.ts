/** A certificate authority of a test, and certificates that it or nobody has signed. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certified {
  readonly key: string;
  readonly cert: string;
}

export interface Authority {
  /** For NODE_EXTRA_CA_CERTS. */
  readonly file: string;
  /** @param names as openssl writes them: `DNS:localhost,IP:127.0.0.1` */
  certify(name: string, names: string): Certified;
  /** Signed by nobody but itself. */
  alone(name: string, names: string): Certified;
}

function openssl(...args: string[]): void {
  const { success, stderr } = Bun.spawnSync(["openssl", ...args], { stdin: "ignore" });
  if (!success) throw new Error(`openssl ${args.join(" ")} failed: ${stderr.toString()}`);
}

/** @param folder an empty one */
export function authorityIn(folder: string): Authority {
  const at = (name: string): string => join(folder, name);
  const new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const read = (name: string): Certified => ({
    key: readFileSync(at(`${name}.key`), "utf8"),
    cert: readFileSync(at(`${name}.crt`), "utf8"),
  });
  openssl("req", "-x509", ...new_key, "-keyout", at("ca.key"), "-out", at("ca.crt"), "-days", "2", "-subj", "/CN=a test");
  return {
    file: at("ca.crt"),
    certify(name, names) {
      writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\n`);
      openssl("req", ...new_key, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`), "-subj", `/CN=${name}`);
      const signed = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", at(`${name}.ext`)];
      openssl("x509", "-req", "-in", at(`${name}.csr`), "-out", at(`${name}.crt`), ...signed);
      return read(name);
    },
    alone(name, names) {
      const more = ["-days", "2", "-subj", `/CN=${name}`, "-addext", `subjectAltName=${names}`];
      openssl("req", "-x509", ...new_key, "-keyout", at(`${name}.key`), "-out", at(`${name}.crt`), ...more);
      return read(name);
    },
  };
}
