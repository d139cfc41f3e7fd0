/** Lets everything that waits be answered. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
