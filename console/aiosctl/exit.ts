/** Exit codes, the same for every command; documented in the help. */

export const exit = { ok: 0, failed: 1, usage: 2, unreachable: 3, degraded: 4, waiting: 5 } as const;

export const exit_help = `
Exit codes:
  0  done
  1  the console refused the request, or it failed; the call was not done; the audit is not whole
  2  the command line is wrong
  3  the console cannot be reached
  4  the system is not well (status --check)
  5  the call waits for a person's approval

The socket is --socket, else AIOS_SOCKET, else ./build/run/console.sock where it exists, else the appliance's own.
Colours show only on a terminal, and not when NO_COLOR is set.
Completion: aiosctl complete bash|zsh|fish`;
