/** The boot id as ids carry it. Without schemas: PID 1 needs it before it has loaded any. */

/** The first 8 hexadecimal digits of a boot id (proc(5)), as ids carry them; zeros when it is none. */
export function shortBootId(boot_id: string): string {
  const digits = boot_id.replaceAll("-", "").slice(0, 8).toLowerCase();
  return /^[0-9a-f]{8}$/.test(digits) ? digits : "00000000";
}
