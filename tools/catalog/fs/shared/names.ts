/**
 * Whose names those in a folder are. Below /usr they came with the image, which is read-only. Everywhere else whoever may make a file
 * chose its name, which may be a sentence: such an answer holds text from outside.
 */

const image = "/usr";

/** @param folder absolute, without links @param names how many the answer tells */
export function namesFromOutside(folder: string, names: number): boolean {
  return names > 0 && folder !== image && !folder.startsWith(`${image}/`);
}
