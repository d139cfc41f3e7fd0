/** Memories, their texts, vectors, words and links. */
export const longterm = "";
