/*
 * stage0: the first program in the machine. Mounts what a Bun executable needs in order to start at all
 * (it aborts without /proc), gives it three file descriptors and a known environment, and becomes it. Beside it starts
 * what answers for the console until the console runs (first-answer.c).
 *
 * Runs as PID 1 from `/sbin/init`. Never returns: what goes wrong is said on the console, and the machine restarts
 * after ten seconds (or halts, with `aios.onfail=halt` on the kernel command line), for there is nobody to type.
 * In container mode the harness has mounted some or all of this already; a mount point is left as it is found.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "/usr/bin/aios"
#define FIRST_ANSWER "/usr/lib/aios/first-answer"
/* contracts/paths.ts, and the console's uid and gid of init/supervise/table.ts; a test compares them */
#define CONSOLE_SOCKET "/run/aios/console/http/sock"
#define CONSOLE_ID "806"
#define CGROUPS "/sys/fs/cgroup"
#define RESTART_DELAY_S 10
#define OWN_VARIABLES 6
#define PASSED_VARIABLES_MAX 16

extern char **environ;

static void say(const char *what, const char *about, int error) {
  char line[512];
  int length = error ? snprintf(line, sizeof line, "stage0: %s \"%s\" failed: %s\n", what, about, strerror(error))
                     : snprintf(line, sizeof line, "stage0: %s %s\n", what, about);
  if (length < 0) return;
  if ((size_t)length >= sizeof line) length = sizeof line - 1;
  if (write(2, line, (size_t)length) < 0) return;
}

/* Whether the kernel was told to stand still after a failure, so that a person can read the console. */
static int told_to_halt(void) {
  char text[4096];
  int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length < 0) return 0;
  text[length] = 0;
  for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n"))
    if (!strcmp(word, "aios.onfail=halt")) return 1;
  return 0;
}

static _Noreturn void give_up(const char *what, const char *about, int error) {
  int halt = told_to_halt();
  say(what, about, error);
  if (getpid() != 1) _exit(1); /* started by hand: the machine is not ours to restart */
  sync();
  if (halt) {
    say("halting:", "aios.onfail=halt is on the kernel command line", 0);
    reboot(RB_HALT_SYSTEM);
  } else {
    say("restarting in 10 s;", "put aios.onfail=halt on the kernel command line to halt here instead", 0);
    sleep(RESTART_DELAY_S);
    reboot(RB_AUTOBOOT);
  }
  for (;;) pause();
}

/* struct statx as the kernel lays it out, up to what is asked here: musl 1.2.3 does not declare it. */
struct kernel_statx {
  uint32_t mask, blksize;
  uint64_t attributes;
  uint8_t between[40];
  uint64_t attributes_mask;
  uint8_t rest[192];
};
_Static_assert(sizeof(struct kernel_statx) == 256, "the kernel writes 256 bytes");
#define ATTR_MOUNT_ROOT 0x2000

static int is_mount_point(const char *path) {
  struct kernel_statx found;
  memset(&found, 0, sizeof found);
  if (syscall(SYS_statx, AT_FDCWD, path, 0, 0, &found) != 0) return 0;
  return (found.attributes & found.attributes_mask & ATTR_MOUNT_ROOT) != 0;
}

/* What cannot be written is found missing by PID 1, which says so. */
static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t written = write(fd, text, strlen(text));
  (void)written;
  close(fd);
}

struct wanted {
  const char *type, *path, *options;
  unsigned long flags;
  int needed; /* PID 1 cannot start without it; anything else it can report on by itself */
};

static const struct wanted mounts[] = {
    {"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 1},
    {"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0},
    {"devtmpfs", "/dev", "mode=0755", MS_NOSUID | MS_NOEXEC, 0},
    /* so that PID 1 can put its first service into a cgroup before it has loaded its system calls */
    {"cgroup2", CGROUPS, "nsdelegate,memory_recursiveprot", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0},
    {"tmpfs", "/run", "mode=0755,size=25%,nr_inodes=100k", MS_NOSUID | MS_NODEV, 1},
    {"tmpfs", "/tmp", "mode=1777,size=10%,nr_inodes=50k", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0},
};

static void mount_all(void) {
  for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
    const struct wanted *m = &mounts[i];
    if (is_mount_point(m->path)) continue;
    if (mount(m->type, m->path, m->type, m->flags, m->options) == 0 || errno == EBUSY) continue;
    if (m->needed) give_up("mounting", m->path, errno);
    say("mounting", m->path, errno);
  }
}

/*
 * A page counts for the cgroup of whoever reads it first, and stays there: what PID 1 is made of, and the runtime that all
 * services share, shall count for `init` and not for the root, from which nothing is taken back (init/boot/cold-memory.ts).
 * PID 1 makes the rest of the tree, and what could not be done here.
 */
static void enter_cgroup(void) {
  mkdir(CGROUPS "/init", 0755);
  put(CGROUPS "/init/cgroup.procs", "0");
  put(CGROUPS "/cgroup.subtree_control", "+memory");
}

/* Descriptors that are open already belong to whoever started us (the kernel's console, or a harness's pipes). */
static void open_standard_descriptors(void) {
  for (int wanted = 0; wanted <= 2; wanted++) {
    if (fcntl(wanted, F_GETFD) >= 0) continue;
    int fd = open("/dev/console", O_RDWR | O_NOCTTY);
    if (fd < 0) fd = open("/dev/null", O_RDWR);
    if (fd >= 0 && fd != wanted) {
      dup2(fd, wanted);
      close(fd);
    }
  }
}

/* Our own names only. The kernel turns any `name=value` of its command line into a variable for init. */
static int is_ours(const char *variable) {
  if (strncmp(variable, "AIOS_", 5) != 0 || strncmp(variable, "AIOS_STAGE0_NS=", 15) == 0) return 0;
  const char *c = variable + 5;
  while ((*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_') c++;
  return *c == '=';
}

/* Answers for the console until the console does. PID 1 collects it as an orphan. */
static void start_first_answer(void) {
  pid_t child = getpid() == 1 ? fork() : -1;
  if (child != 0) return; /* without it the system starts all the same */
  char *const argv[] = {FIRST_ANSWER, CONSOLE_SOCKET, CONSOLE_ID, CONSOLE_ID, NULL};
  execve(FIRST_ANSWER, argv, environ);
  say("starting", FIRST_ANSWER, errno);
  _exit(1);
}

int main(void) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_BOOTTIME, &now);

  mount_all();
  if (getpid() == 1) enter_cgroup();
  open_standard_descriptors();
  start_first_answer();

  char started[64];
  snprintf(started, sizeof started, "AIOS_STAGE0_NS=%lld", (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
  /* As in init/supervise/table.ts: no compiler, for it starts in a quarter of the time; a look at the heap every ten
     seconds and not every one (docs/DESIGN.md). */
  char *environment[OWN_VARIABLES + PASSED_VARIABLES_MAX + 1] = {
      "PATH=/usr/bin:/usr/sbin", "HOME=/", "LANG=C.UTF-8", "BUN_JSC_useJIT=0", "BUN_GC_TIMER_INTERVAL=10000", started};
  size_t used = OWN_VARIABLES;
  for (char **variable = environ; *variable && used < OWN_VARIABLES + PASSED_VARIABLES_MAX; variable++)
    if (is_ours(*variable)) environment[used++] = *variable;
  environment[used] = NULL;

  char *const argv[] = {"aios", "init", NULL};
  if (chdir("/") != 0) say("changing directory to", "/", errno);
  execve(PROGRAM, argv, environment);
  give_up("starting", PROGRAM, errno);
}
