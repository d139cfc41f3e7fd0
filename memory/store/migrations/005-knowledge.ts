/** Documents, sections, versions. */
export const knowledge = "";
