/** Operational memory: the last hour, counted as it comes in. */

export const operational_methods = {} as const;

export const operational_permissions = {} as const;
