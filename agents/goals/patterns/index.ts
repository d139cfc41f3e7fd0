/** Forms of goals in the image. The bundler parses the files: nothing is read or parsed as YAML at run time. */

import folder_served from "./folder-served.yaml";
import host_name from "./host-name.yaml";
import service_running from "./service-running.yaml";

export const bundled_patterns: Readonly<Record<string, unknown>> = {
  "folder-served.yaml": folder_served,
  "host-name.yaml": host_name,
  "service-running.yaml": service_running,
};
