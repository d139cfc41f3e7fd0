/**
 * aios.yaml of a system in which no model of this machine runs. A scenario that is not about them begins sooner: under emulation
 * a sentence is a second of work, and a model takes a minute to be warm.
 */
export const without_models = "models: { local: false }\n";
