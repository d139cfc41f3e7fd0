/** Which services still run in a generation that is not the current one: by the mount tables of their processes. */

import { readFileSync } from "node:fs";
import { mainPid } from "../../../../sys/procfs.ts";
import type { Context } from "../../../context.ts";
import { parseMounts } from "../../../paths/mounts.ts";
import { currentMount } from "./folders.ts";
import { currentNumber } from "./generation.ts";
import { mount_name } from "./mounts.ts";

export interface Outdated {
  readonly service: string;
  readonly generation: number;
}

const listed_max = 200;

/** None while PID 1 is not connected. */
export async function outdatedServices(context: Context): Promise<Outdated[]> {
  const { init, places } = context;
  if (init === null) return [];
  const defined = await init.call("service.defined", {});
  const here = new Set(defined.filter(({ definition }) => definition.root === currentMount(places)).map(({ service }) => service));
  if (here.size === 0) return [];
  const current = currentNumber(context);
  return (await init.call("service.list", {}))
    .filter(({ name, pid }) => here.has(name) && pid !== null)
    .flatMap(({ name, pid }) => {
      const generation = generationOf(pid ?? 0);
      return generation === null || generation === current ? [] : [{ service: name, generation }];
    })
    .slice(0, listed_max);
}

/** The generation that a process has as its root; null when it has another root, or has ended. */
function generationOf(pid: number): number | null {
  try {
    const root = parseMounts(readFileSync(`/proc/${mainPid(pid)}/mountinfo`)).findLast(({ point }) => point === "/");
    const number = mount_name.exec(root?.source ?? "")?.[1];
    return number === undefined ? null : Number(number);
  } catch {
    return null;
  }
}
