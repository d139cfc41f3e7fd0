/** The knowledge base: documents by section, in versions. */

export const knowledge_methods = {} as const;

export const knowledge_permissions = {} as const;
