/** service.disable */

import { enabling } from "./shared/enabling.ts";

export const serviceDisable = enabling({
  name: "service.disable",
  title: "Disable a service",
  description:
    "Keeps a defined service from starting at boot. It does not stop it now: for that use service.stop. The system's own services are switched in the machine config.",
  enabled: false,
});
