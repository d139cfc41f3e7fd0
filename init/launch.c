/*
 * launch: makes a process what a service is allowed to be, then becomes the service.
 *
 *   launch [option]… -- PROGRAM [ARGUMENT]…
 *
 * Bun can start a child but cannot put it into a cgroup, or change its uid, limits or signal mask, between fork and
 * exec. So PID 1 starts this instead. The order of the steps is fixed, whatever the order of the options: what needs
 * root comes before the uid changes, no_new_privs comes last.
 *
 *   --cgroup DIR            write itself into DIR/cgroup.procs
 *   --oom N                 /proc/self/oom_score_adj, -1000 to 1000
 *   --rlimit NAME=SOFT:HARD as in setrlimit, the name in lower case without RLIMIT_; "infinity" is a number
 *   --nice N                -20 to 19
 *   --setsid                lead a session of its own
 *   --seccomp-fd-from FILE FDNUM   open FILE read-only as descriptor FDNUM (for bwrap --seccomp FDNUM)
 *   --keep-fd N             leave this inherited descriptor open; every other one from 3 on is closed
 *   --uid N --gid N         become them, with no supplementary groups
 *   --drop-caps             empty the bounding, ambient and inheritable sets; without a change of uid, all of them
 *   --keep-caps LIST        for a program that stays root: the bounding set is cut down to these (capabilities(7), lower
 *                           case without cap_, commas between), so that nothing it does or starts has any other
 *   --chdir DIR             after the change of uid, so that the service's own rights count
 *   --env-clear             start from an empty environment
 *   --env NAME=VALUE        then set this
 *   --env-prefix PREFIX     of what it was given, keep only PREFIXNAME=VALUE, as NAME=VALUE: so variables for PROGRAM reach it
 *                           through others (bwrap) that must not obey them, and stand in nobody's argument vector
 *   --die-with-parent       KILL when the one who started it ends
 *   --no-new-privs          no gain of privilege through exec, ever
 *
 * A failure is one JSON line on stderr, {"launch":WHAT,"errno":N,"error":TEXT}, and the status says where:
 * 120 the arguments, 121 a step, 122 PROGRAM could not be started.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BAD_ARGUMENTS = 120, STEP_FAILED = 121, EXEC_FAILED = 122 };
enum { ITEMS_MAX = 32, FD_MAX = 65535 };

extern char **environ;

static void put_json_text(FILE *to, const char *text) {
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\') fprintf(to, "\\%c", *c);
    else if (*c < 0x20) fprintf(to, "\\u%04x", *c);
    else fputc(*c, to);
  }
}

static _Noreturn void fail(int status, const char *what, const char *about, int error) {
  char line[1024];
  FILE *to = fmemopen(line, sizeof line, "w");
  if (to) {
    fputs("{\"launch\":\"", to);
    put_json_text(to, what);
    if (about) {
      fputs(" '", to);
      char shown[401];
      snprintf(shown, sizeof shown, "%s", about);
      put_json_text(to, shown);
      fputc('\'', to);
    }
    fprintf(to, "\",\"errno\":%d,\"error\":\"", error);
    put_json_text(to, error ? strerror(error) : "see launch.c for the options");
    fputs("\"}\n", to);
    long length = ftell(to);
    fclose(to);
    if (length > 0 && write(2, line, (size_t)length) < 0) _exit(status);
  }
  _exit(status);
}

static long number(const char *option, const char *text, long min, long max) {
  char *end;
  errno = 0;
  long value = text ? strtol(text, &end, 10) : 0;
  if (!text || !*text || *end || errno || value < min || value > max) fail(BAD_ARGUMENTS, option, text ? text : "(nothing)", EINVAL);
  return value;
}

static const struct { const char *name; int resource; } limits[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},         {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},     {"locks", RLIMIT_LOCKS},       {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE},
    {"nice", RLIMIT_NICE},       {"nofile", RLIMIT_NOFILE},     {"nproc", RLIMIT_NPROC},     {"rtprio", RLIMIT_RTPRIO},
    {"rttime", RLIMIT_RTTIME},   {"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK},
};

struct limit { int resource; struct rlimit value; const char *text; };

static rlim_t limit_value(const char *whole, const char *text, char stop) {
  static const char infinity[] = "infinity";
  if (!strncmp(text, infinity, sizeof infinity - 1) && text[sizeof infinity - 1] == stop) return RLIM_INFINITY;
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != stop || errno) fail(BAD_ARGUMENTS, "--rlimit", whole, EINVAL);
  return (rlim_t)value;
}

static struct limit parse_limit(const char *text) {
  if (!text) fail(BAD_ARGUMENTS, "--rlimit", "(nothing)", EINVAL);
  const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;
  if (!colon) fail(BAD_ARGUMENTS, "--rlimit", text, EINVAL);
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    if (strlen(limits[i].name) != (size_t)(equals - text) || strncmp(limits[i].name, text, (size_t)(equals - text))) continue;
    struct limit found = {limits[i].resource, {limit_value(text, equals + 1, ':'), limit_value(text, colon + 1, 0)}, text};
    return found;
  }
  fail(BAD_ARGUMENTS, "--rlimit", text, EINVAL);
}

/* `path` takes the text in one write, as the kernel's files want it. */
static void write_text(const char *what, const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) fail(STEP_FAILED, what, path, errno);
  close(fd);
}

static void reset_signals(void) {
  struct sigaction plain;
  memset(&plain, 0, sizeof plain);
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < _NSIG; signal++) sigaction(signal, &plain, NULL); /* refuses KILL, STOP and libc's own */
  /* libc keeps some real-time signals to itself, but a dynamic program that started us may have left them ignored */
  const unsigned long kernel_plain[8] = {0}; /* struct kernel_sigaction: SIG_DFL, no flags, an empty mask */
  for (int signal = 32; signal <= 34; signal++) syscall(SYS_rt_sigaction, signal, kernel_plain, NULL, 8);
  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) fail(STEP_FAILED, "resetting the signal mask", NULL, errno);
}

static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void close_all_but(int *kept, size_t count) {
  qsort(kept, count, sizeof *kept, by_value);
  unsigned from = 3;
  for (size_t i = 0; i <= count; i++) {
    unsigned to = i == count ? UINT_MAX : (unsigned)kept[i] - 1;
    if (to >= from && syscall(SYS_close_range, from, to, 0) != 0) fail(STEP_FAILED, "closing descriptors", NULL, errno);
    if (i < count && (unsigned)kept[i] >= from) from = (unsigned)kept[i] + 1;
  }
}

/* linux/capability.h: the place is the number */
static const char *const capability_names[] = {
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module",
    "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time",
    "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
    "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore"};

static uint64_t parse_capabilities(char *list) {
  uint64_t set = 0;
  for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
    size_t n = 0, all = sizeof capability_names / sizeof *capability_names;
    while (n < all && strcmp(name, capability_names[n]) != 0) n++;
    if (n == all) fail(BAD_ARGUMENTS, "--keep-caps", name, EINVAL);
    set |= (uint64_t)1 << n;
  }
  return set;
}

static void drop_capabilities(uint64_t but) {
  for (int capability = 0; capability < 64; capability++)
    if (!(but >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL)
      fail(STEP_FAILED, "cutting down the capability bounding set", NULL, errno);
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
    fail(STEP_FAILED, "emptying the ambient capabilities", NULL, errno);
}

static void clear_capability_sets(void) {
  struct { uint32_t version; int pid; } header = {0x20080522, 0};
  struct { uint32_t effective, permitted, inheritable; } sets[2];
  memset(sets, 0, sizeof sets);
  if (syscall(SYS_capset, &header, sets) != 0) fail(STEP_FAILED, "emptying the capability sets", NULL, errno);
}

static void keep_prefixed(const char *prefix) {
  size_t length = strlen(prefix), kept = 0;
  for (char **variable = environ; *variable; variable++)
    if (!strncmp(*variable, prefix, length) && (*variable)[length] != 0 && (*variable)[length] != '=') environ[kept++] = *variable + length;
  environ[kept] = NULL;
}

int main(int argc, char **argv) {
  const char *cgroup = NULL, *oom = NULL, *directory = NULL, *env_prefix = NULL;
  struct limit wanted_limits[ITEMS_MAX];
  struct { const char *file; int fd; } opened[ITEMS_MAX];
  char *variables[ITEMS_MAX];
  int kept[2 * ITEMS_MAX];
  size_t limit_count = 0, opened_count = 0, kept_count = 0, variable_count = 0;
  long uid = -1, gid = -1, nice_value = LONG_MIN;
  int env_clear = 0, no_new_privs = 0, new_session = 0, drop_caps = 0, keep_caps = 0, die_with_parent = 0;
  uint64_t kept_capabilities = 0;

  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
    const char *option = argv[i];
    /* argv ends in NULL, so a missing value reads as NULL and is refused by whoever takes it */
    if (!strcmp(option, "--env-clear")) { env_clear = 1; continue; }
    if (!strcmp(option, "--no-new-privs")) { no_new_privs = 1; continue; }
    if (!strcmp(option, "--setsid")) { new_session = 1; continue; }
    if (!strcmp(option, "--die-with-parent")) { die_with_parent = 1; continue; }
    if (!strcmp(option, "--drop-caps")) { drop_caps = 1; continue; }
    char *value = argv[++i];
    if (!value) fail(BAD_ARGUMENTS, "an option without its value, or unknown:", option, EINVAL);
    if (!strcmp(option, "--cgroup")) cgroup = value;
    else if (!strcmp(option, "--oom")) oom = (number(option, value, -1000, 1000), value);
    else if (!strcmp(option, "--nice")) nice_value = number(option, value, -20, 19);
    else if (!strcmp(option, "--uid")) uid = number(option, value, 0, INT_MAX);
    else if (!strcmp(option, "--gid")) gid = number(option, value, 0, INT_MAX);
    else if (!strcmp(option, "--chdir")) directory = value;
    else if (!strcmp(option, "--keep-caps")) keep_caps = (kept_capabilities = parse_capabilities(value), 1);
    else if (!strcmp(option, "--env-prefix") && *value) env_prefix = value;
    else if (!strcmp(option, "--rlimit") && limit_count < ITEMS_MAX) wanted_limits[limit_count++] = parse_limit(value);
    else if (!strcmp(option, "--keep-fd") && kept_count < ITEMS_MAX) kept[kept_count++] = (int)number(option, value, 3, FD_MAX);
    else if (!strcmp(option, "--env") && variable_count < ITEMS_MAX) {
      if (!strchr(value, '=') || *value == '=') fail(BAD_ARGUMENTS, "--env", value, EINVAL);
      variables[variable_count++] = value;
    } else if (!strcmp(option, "--seccomp-fd-from") && opened_count < ITEMS_MAX) {
      opened[opened_count].file = value;
      opened[opened_count].fd = (int)number(option, argv[i + 1], 3, FD_MAX);
      opened_count++;
      i++;
    } else fail(BAD_ARGUMENTS, "an unknown option, or one given too often:", option, EINVAL);
  }
  if (i + 1 >= argc) fail(BAD_ARGUMENTS, "no program after --", NULL, EINVAL);
  char **program = argv + i + 1;

  if (cgroup) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/cgroup.procs", cgroup) >= (int)sizeof path) fail(BAD_ARGUMENTS, "--cgroup", cgroup, ENAMETOOLONG);
    write_text("entering the cgroup", path, "0"); /* 0 is the writer, whatever pid namespace it is in */
  }
  if (oom) write_text("setting the OOM score", "/proc/self/oom_score_adj", oom);
  for (size_t n = 0; n < limit_count; n++)
    if (setrlimit(wanted_limits[n].resource, &wanted_limits[n].value) != 0) fail(STEP_FAILED, "setting the limit", wanted_limits[n].text, errno);
  if (nice_value != LONG_MIN && setpriority(PRIO_PROCESS, 0, (int)nice_value) != 0) fail(STEP_FAILED, "setting the nice value", NULL, errno);
  if (new_session && setsid() < 0) fail(STEP_FAILED, "starting a session", NULL, errno);
  reset_signals();

  for (size_t n = 0; n < opened_count; n++) {
    int fd = open(opened[n].file, O_RDONLY);
    if (fd < 0) fail(STEP_FAILED, "opening", opened[n].file, errno);
    if (fd != opened[n].fd) {
      if (dup2(fd, opened[n].fd) < 0) fail(STEP_FAILED, "placing the descriptor of", opened[n].file, errno);
      close(fd);
    }
    kept[kept_count++] = opened[n].fd;
  }
  close_all_but(kept, kept_count);

  if (drop_caps || keep_caps) drop_capabilities(kept_capabilities);
  if (uid >= 0 || gid >= 0) {
    if (setgroups(0, NULL) != 0) fail(STEP_FAILED, "leaving the supplementary groups", NULL, errno);
    if (gid >= 0 && setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) != 0) fail(STEP_FAILED, "changing the gid", NULL, errno);
    if (uid >= 0 && setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) != 0) fail(STEP_FAILED, "changing the uid", NULL, errno);
  }
  if (drop_caps) clear_capability_sets();
  if (directory && chdir(directory) != 0) fail(STEP_FAILED, "changing directory to", directory, errno);

  if (env_prefix) keep_prefixed(env_prefix);
  if (env_clear) clearenv();
  for (size_t n = 0; n < variable_count; n++)
    if (putenv(variables[n]) != 0) fail(STEP_FAILED, "setting the variable", variables[n], errno);
  if (no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail(STEP_FAILED, "setting no_new_privs", NULL, errno);

  if (die_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fail(STEP_FAILED, "tying it to its parent", NULL, errno);

  execve(program[0], program, environ);
  fail(EXEC_FAILED, "starting", program[0], errno);
}
