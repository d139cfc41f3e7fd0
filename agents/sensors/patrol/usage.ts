/** Services that use up what they may use, by the broker's tools. */

import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks for services that use up what they may use";
const mib = 1024 * 1024;

export async function usageFigures(ask: AskTool): Promise<Figure[]> {
  const { services } = await ask("service.usage", {}, why);
  return services.flatMap(({ service: subject, tasks, tasks_max, memory_bytes, memory_max_bytes, open_files_ratio, deleted_bytes }) => {
    const figures: Figure[] = [
      { figure: "service.files_ratio", subject, value: open_files_ratio, detail: `${percent(open_files_ratio)} of its open files` },
      { figure: "service.deleted_mib", subject, value: deleted_bytes / mib, detail: `${Math.round(deleted_bytes / mib)} MiB` },
    ];
    if (tasks_max !== null)
      figures.push({ figure: "service.tasks_ratio", subject, value: tasks / tasks_max, detail: `${tasks} of ${tasks_max} tasks` });
    if (memory_max_bytes !== null) {
      const value = memory_bytes / memory_max_bytes;
      figures.push({ figure: "service.memory_ratio", subject, value, detail: `${percent(value)} of ${memory_max_bytes} bytes` });
    }
    return figures;
  });
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}
