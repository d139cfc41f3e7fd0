/** Where the userland is: on the data partition, and what of it is mounted. */

import type { Places } from "../../../context.ts";

type Where = Pick<Places, "data" | "run">;

export const folderOf = ({ data }: Where): string => `${data}/userland`;
/** Bases by their hash; the image's own is fetched from the ESP once. */
export const basesOf = (places: Where): string => `${folderOf(places)}/base`;
export const generationsOf = (places: Where): string => `${folderOf(places)}/generations`;
export const generationFolder = (number: number, places: Where): string => `${generationsOf(places)}/${number}`;
/** What is being made, and what a broker that was killed has left of it. */
export const stagingOf = (places: Where): string => `${folderOf(places)}/staging`;
/** The number of the current generation, in a file that is replaced as a whole. */
export const currentFile = (places: Where): string => `${folderOf(places)}/current`;
/** What the sources have to offer, as apt keeps it: a cache. */
export const listsOf = (places: Where): string => `${folderOf(places)}/lists`;

/** Mounted: `<generation>`, `base-<hash>`, and the link `current`. */
export const mountsOf = ({ run }: Where): string => `${run}/userland`;
export const currentMount = (places: Where): string => `${mountsOf(places)}/current`;
/** Where what is being made is mounted; nobody else goes there. */
export const workshopOf = ({ run }: Where): string => `${run}/broker/userland`;
