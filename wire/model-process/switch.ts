/** Whether models may run on this machine at all (`models.local` in aios.yaml): PID 1 tells it to the services that hold one. */

export const local_models_env = "AIOS_LOCAL_MODELS";

/** @returns why no model is loaded, or null when models may be */
export function localModelsOff(env: Readonly<Record<string, string | undefined>> = process.env): string | null {
  return env[local_models_env] === "off" ? "models of this machine are switched off (models.local in aios.yaml)" : null;
}
