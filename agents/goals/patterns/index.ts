/** Forms of goals in the image. The bundler parses the files: nothing is read or parsed as YAML at run time. */

import service_running from "./service-running.yaml";

export const bundled_patterns: Readonly<Record<string, unknown>> = { "service-running.yaml": service_running };
