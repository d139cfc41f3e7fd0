/** The tools by which permission comes and goes. They need the stores besides the context, so they are made with them. */

import type { AnyTool } from "../../tool.ts";
import { grantTool } from "./grant.ts";
import { leaseTool } from "./lease.ts";
import { releaseTool } from "./release.ts";
import { requestTool } from "./request.ts";
import { revokeTool } from "./revoke.ts";
import type { PermissionPorts } from "./shared/scope.ts";

export function permissionTools(permission: PermissionPorts): readonly AnyTool[] {
  return [grantTool(permission), revokeTool(permission), requestTool(permission), leaseTool(permission), releaseTool(permission)];
}
