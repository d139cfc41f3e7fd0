/** What is not of the system alone. */

/** In a container the kernel tells these figures of the whole host, on which others work, too. */
export const of_host: readonly string[] = [
  "processor-busy",
  "disk-slow",
  "memory-short",
  "memory-stalled",
  "too-many-files",
  "too-many-tasks",
  "too-hot",
  "drive-failing",
  "drive-worn",
];
