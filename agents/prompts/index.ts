/** The prompts in the image. The bundler parses the files: nothing is read or parsed as YAML at run time. */

import call_arguments from "./list/arguments.yaml";
import kind from "./list/kind.yaml";
import playbook from "./list/playbook.yaml";
import step from "./list/step.yaml";
import step_arguments from "./list/step-arguments.yaml";
import tool from "./list/tool.yaml";

export const bundled_prompts: Readonly<Record<string, unknown>> = {
  "arguments.yaml": call_arguments,
  "kind.yaml": kind,
  "playbook.yaml": playbook,
  "step-arguments.yaml": step_arguments,
  "step.yaml": step,
  "tool.yaml": tool,
};
