/** Working memory: what the system is about to do, is doing and waits for. */

export const working_methods = {} as const;

export const working_permissions = {} as const;
