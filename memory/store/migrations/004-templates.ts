/** Log templates. */
export const templates = "";
