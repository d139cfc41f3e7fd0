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

/** Notices that nobody acts upon: whoever can write into a log can raise them. They stand for as long as they are news. */
export const told_only: readonly string[] = ["log-novel", "log-burst"];
