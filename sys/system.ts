/** Everything that PID 1 and the broker ask of the kernel, by family. */

import type { ClockCalls } from "./clock.ts";
import type { DatagramCalls } from "./datagram.ts";
import type { DescriptorCalls } from "./descriptor.ts";
import type { DeviceCalls } from "./device.ts";
import type { EntropyCalls } from "./entropy.ts";
import type { FileCalls } from "./file/calls.ts";
import type { HostCalls } from "./host.ts";
import type { InotifyCalls } from "./inotify.ts";
import type { MountCalls } from "./mount.ts";
import type { NetlinkCalls } from "./netlink/calls.ts";
import type { PowerCalls } from "./power.ts";
import type { ProcessCalls } from "./process.ts";

export interface System {
  readonly process: ProcessCalls;
  readonly power: PowerCalls;
  readonly mount: MountCalls;
  readonly clock: ClockCalls;
  readonly entropy: EntropyCalls;
  readonly host: HostCalls;
  readonly device: DeviceCalls;
  readonly descriptor: DescriptorCalls;
  readonly datagram: DatagramCalls;
  readonly file: FileCalls;
  readonly inotify: InotifyCalls;
  readonly netlink: NetlinkCalls;
}
