/** The policies that the image comes with, in the executable: nobody changes them in a running system. */

import broker from "./broker.cedar" with { type: "text" };
import care from "./care.cedar" with { type: "text" };
import knowledge from "./knowledge.cedar" with { type: "text" };
import memory from "./memory.cedar" with { type: "text" };
import models from "./models.cedar" with { type: "text" };
import never from "./never.cedar" with { type: "text" };
import people from "./people.cedar" with { type: "text" };
import tiers from "./tiers.cedar" with { type: "text" };

export const policy_files: Readonly<Record<string, string>> = {
  "never.cedar": never,
  "care.cedar": care,
  "tiers.cedar": tiers,
  "knowledge.cedar": knowledge,
  "memory.cedar": memory,
  "models.cedar": models,
  "people.cedar": people,
  "broker.cedar": broker,
};
