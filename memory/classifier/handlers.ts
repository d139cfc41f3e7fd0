/** The classifier, as it is asked over the socket. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type classifier_methods, Trained } from "../../contracts/memory/classifier.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { Keeper } from "../keeper.ts";
import type { Embedder } from "../longterm/embedder.ts";
import { QueryVectors } from "../longterm/query-vector.ts";
import type { Upkeep } from "../upkeep/upkeep.ts";
import { decided, textOf, withVectors } from "./cases.ts";
import { weighed } from "./classifiers.ts";
import { cases_file, trained_file } from "./job.ts";

/** Of a version that was trained without a sentence model. */
const no_embedding = "";

interface Serving {
  readonly keeper: Keeper;
  readonly embedder: Embedder;
  readonly upkeep: Upkeep;
}

export function classifierHandlers({ keeper, embedder, upkeep }: Serving): Handlers<typeof classifier_methods> {
  const vectors = new QueryVectors(embedder);
  return {
    async "classifier.train"({ why }) {
      const { report, body } = await trained({ keeper, embedder, upkeep });
      return await keeper.share(({ classifiers }) => {
        const was = classifiers.current();
        if (body === null) return { version: null, was, in_use: was, report };
        const version = classifiers.keep(body, report);
        if (version !== was) classifiers.use(version, why, upkeep.now());
        return { version, was, in_use: version, report };
      });
    },
    "classifier.use": ({ version, why }) =>
      keeper.share(({ classifiers }) => {
        if (version !== null && !classifiers.has(version))
          throw new RpcError(
            rpc_error.not_found,
            `using version ${version} of the classifier failed: there is none; look at memory.learned`,
          );
        return { was: classifiers.use(version, why, upkeep.now()) };
      }),
    "classifier.state": ({ limit }) => keeper.read(({ classifiers }) => classifiers.state(limit)),
    async "classifier.weigh"({ rules, ...matter }) {
      const used = keeper.read(({ classifiers }) => classifiers.inUse());
      if (used === null) return { version: null, chances: [], said: "none is in use" };
      const { version } = used;
      if (used.embedding === no_embedding)
        return { version, chances: weighed(used, { ...matter, vector: new Float32Array() }, rules), said: `version ${version}` };
      const { vector, note } = await vectors.of(textOf(matter));
      if (vector === null || embedder.model !== used.embedding)
        return { version, chances: [], said: note ?? "it was trained with another sentence model" };
      return { version, chances: weighed(used, { ...matter, vector }, rules), said: `version ${version}` };
    },
  };
}

async function trained({ keeper, embedder, upkeep }: Serving) {
  const { folder } = keeper;
  if (!keeper.on_disk) throw new RpcError(rpc_error.unavailable, "training failed: memory is in RAM only; check the data partition");
  const { model: embedding } = embedder;
  /** The files are those of this training: another one that runs is not disturbed by a refusal. */
  let begun = false;
  try {
    const job = { do: "train", folder, embedding: embedding ?? no_embedding, time_ms: upkeep.now() } as const;
    await upkeep.jobs.run<"train">(job, async () => {
      begun = true;
      const cases = await withVectors(keeper.read(decided), embedder);
      writeFileSync(join(folder, cases_file), JSON.stringify(cases), { mode: 0o600 });
    });
    return Trained.parse(JSON.parse(readFileSync(join(folder, trained_file), "utf8")));
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw new RpcError(rpc_error.unavailable, `training failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    if (begun) for (const file of [cases_file, trained_file]) rmSync(join(folder, file), { force: true });
  }
}
