/** Which model the system takes by itself: the largest for the tier that fits into memory and is quick enough, by figures of this machine. */

import {
  type Catalogue,
  type CatalogueModel,
  type ModelSpeed,
  type ModelTier,
  workingBytes,
} from "../../../../contracts/model/catalogue.ts";

export interface Candidate {
  readonly model: CatalogueModel;
  readonly speed: ModelSpeed | null;
}

export interface Choice {
  /** Null: none will do. */
  readonly name: string | null;
  /** Why this one, and why none of the larger ones. */
  readonly reason: string;
}

/** @param memory_bytes what the tiers may take together @param candidates what is on this machine */
export function choose(
  tier: ModelTier,
  { choice }: Pick<Catalogue, "choice">,
  memory_bytes: number,
  candidates: readonly Candidate[],
): Choice {
  const limits = choice[tier];
  const room = memory_bytes * limits.memory_share;
  const of_role = candidates
    .filter(({ model }) => model.roles.includes(tier))
    .sort((a, b) => b.model.parameters_b - a.model.parameters_b || b.model.size_bytes - a.model.size_bytes);
  if (of_role.length === 0) return { name: null, reason: `there is no model for the ${tier} tier on this machine` };
  const passed: string[] = [];
  for (const { model, speed } of of_role) {
    const why = unfit({ model, speed: speed ?? guess(model, candidates) }, room, limits);
    if (why === null)
      return { name: model.name, reason: [`"${model.name}" is the largest that fits and is quick enough`, ...passed].join("; ") };
    passed.push(`"${model.name}" ${why}`);
  }
  return { name: null, reason: `none of the models here will do: ${passed.join("; ")}` };
}

type Limits = Catalogue["choice"][ModelTier];

function unfit({ model, speed }: Candidate, room: number, limits: Limits): string | null {
  const needed = model.size_bytes + workingBytes(model);
  if (needed > room) return `needs ${mib(needed)} of memory, and ${mib(room)} are for it`;
  if (speed === null)
    return model.parameters_b <= limits.unmeasured_parameters_b_max
      ? null
      : "is too large to be tried before it was measured (model.bench)";
  if (speed.prompt_tokens_s < limits.prompt_tokens_s_min)
    return `reads ${Math.round(speed.prompt_tokens_s)} tokens a second, and ${limits.prompt_tokens_s_min} are wanted`;
  if (speed.tokens_s < limits.tokens_s_min)
    return `writes ${speed.tokens_s.toFixed(1)} tokens a second, and ${limits.tokens_s_min} are wanted`;
  return null;
}

/** From the model nearest in size that was measured here: writing is bound by the bytes of the file, reading by the parameters. */
function guess(model: CatalogueModel, candidates: readonly Candidate[]): ModelSpeed | null {
  const distance = ({ model: other }: Candidate): number => Math.abs(Math.log(other.parameters_b / model.parameters_b));
  const [nearest] = candidates
    .filter(({ speed, model: { kv_bytes_per_token } }) => speed !== null && kv_bytes_per_token > 0)
    .sort((a, b) => distance(a) - distance(b));
  if (nearest?.speed == null) return null;
  return {
    ...nearest.speed,
    prompt_tokens_s: (nearest.speed.prompt_tokens_s * nearest.model.parameters_b) / model.parameters_b,
    tokens_s: (nearest.speed.tokens_s * nearest.model.size_bytes) / model.size_bytes,
  };
}

function mib(bytes: number): string {
  return `${Math.round(bytes / (1024 * 1024))} MiB`;
}
