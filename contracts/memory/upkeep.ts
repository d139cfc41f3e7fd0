/** Backup, restore, export, import, cold segments and retention. */

export const upkeep_methods = {} as const;

export const upkeep_permissions = {} as const;
