/** service.enable */

import { enabling } from "./shared/enabling.ts";

export const serviceEnable = enabling({
  name: "service.enable",
  title: "Enable a service",
  description:
    "Lets a defined service start at each boot. It does not start it now: for that use service.start. The system's own services are switched in the machine config.",
  enabled: true,
});
