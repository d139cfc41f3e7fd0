/*
 * Build-time program: reads a list of system calls (service.syscalls) on stdin, writes the seccomp program that
 * allows them on stdout, in the form that `bwrap --seccomp FD` and seccomp(2) take. Runs on the build host only.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const unsigned long namespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;

static void check(int result, const char *what, const char *about) {
  if (result >= 0) return;
  fprintf(stderr, "make-filter: %s \"%s\" failed: %s\n", what, about, strerror(-result));
  exit(1);
}

static void add_listed(scmp_filter_ctx filter) {
  char line[256];
  while (fgets(line, sizeof line, stdin)) {
    char *name = strtok(line, " \t\n"), *answer = name ? strtok(NULL, " \t\n") : NULL;
    if (!name || *name == '#') continue;
    int number = seccomp_syscall_resolve_name(name);
    /* an unknown name is a typing mistake, or a libseccomp older than the call; a filter without it would be another */
    if (number == __NR_SCMP_ERROR) check(-EINVAL, "looking up the system call", name);
    if (!answer) check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0), "allowing", name);
    else if (!strcmp(answer, "ENOSYS")) check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0), "refusing", name);
    else check(-EINVAL, "reading the answer for", name);
  }
}

/*
 * Every ioctl but TIOCSTI and TIOCLINUX, which type into somebody else's terminal. The kernel looks at the low 32 bits
 * only, so "not equal" over 64 bits would let a disguised one through, and libseccomp has no masked "not equal". Hence:
 * whatever differs from both in a bit they share, and then what is left between them, one by one.
 */
static void allow_ioctl(scmp_filter_ctx filter) {
  const unsigned long refused[] = {TIOCSTI, TIOCLINUX}, differing = refused[0] ^ refused[1], low = 0xffffffffUL;
  for (unsigned long bit = 1; bit & low; bit <<= 1)
    if (!(bit & differing))
      check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, bit, ~refused[0] & bit)), "allowing", "ioctl");
  for (unsigned long bits = differing;; bits = (bits - 1) & differing) {
    unsigned long request = (refused[0] & ~differing) | bits;
    if (request != refused[0] && request != refused[1])
      check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, low, request)), "allowing", "ioctl");
    if (!bits) break;
  }
}

int main(void) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter) check(-ENOMEM, "making", "a filter");
  check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "killing", "foreign architectures");
  /* a binary tree instead of a chain of comparisons: 4 times fewer steps for each system call */
  check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "ordering", "as a tree");

  add_listed(filter);
  check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces, 0)), "allowing", "clone");

  static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, (unsigned)families[i])), "allowing", "socket");

  allow_ioctl(filter);

  /* asking (0xffffffff), and what every process has already (PER_LINUX) */
  check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1, SCMP_A0(SCMP_CMP_EQ, 0)), "allowing", "personality");
  check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1, SCMP_A0(SCMP_CMP_EQ, 0xffffffffUL)), "allowing", "personality");

  check(seccomp_export_bpf(filter, 1), "writing", "the filter");
  seccomp_release(filter);
  return 0;
}
