/** What keeps the data partition from being used, and what people can do about it. */

export interface Trouble {
  readonly trouble: string;
  readonly todo: string;
}

export function trouble(text: string, todo: string): Trouble {
  return { trouble: text, todo };
}

/** Less free room than this makes no partition and is not worth growing by. */
export const worth_bytes = 32 * 1024 * 1024;

export function mib(bytes: number): number {
  return Math.floor(bytes / (1024 * 1024));
}
