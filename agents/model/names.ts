/** Tools by names that providers allow: letters, digits, _ and -. A family has no _ in its name, so the first one is our dot. */

export function toProvider(tool: string): string {
  return tool.replace(".", "_");
}

/** What the model called, as our tool; a name that we did not offer stays as it is, and is found out by who checks the call. */
export function fromProvider(name: string): string {
  return name.replace("_", ".");
}
