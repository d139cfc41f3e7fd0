/** What the lines of a log have in common, and what differs between them. */

export const templates_methods = {} as const;

export const templates_permissions = {} as const;
