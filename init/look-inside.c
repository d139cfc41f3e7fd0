/*
 * look-inside: one file of a file system that came from outside, on standard output.
 *
 *   look-inside DEVICE TYPE PATH BYTES_MAX
 *
 * Mounted read-only, in a mount namespace of its own that ends with this process: a disk that stalls holds up nobody but
 * this, and PID 1 goes on when its time is over. The type is given, never guessed by the kernel. PATH leads nowhere but
 * into that file system, whatever links are on it.
 *
 * Status 0: the whole file was written. 3: there is no such file. 1: it could not be read, with the reason on stderr.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FAILED = 1, NO_SUCH_FILE = 3 };

static const char at[] = "/mnt";

/* linux/openat2.h (openat2(2)), which musl does not bring along */
struct open_how { uint64_t flags, mode, resolve; };
enum { RESOLVE_NO_MAGICLINKS = 0x02, RESOLVE_IN_ROOT = 0x10 };

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "%s failed: %s\n", what, strerror(errno));
  exit(FAILED);
}

static _Noreturn void refuse(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(FAILED);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fputs("usage: look-inside DEVICE TYPE PATH BYTES_MAX\n", stderr);
    return FAILED;
  }
  const char *device = argv[1], *type = argv[2], *path = argv[3];
  const long long bytes_max = atoll(argv[4]);

  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail("making a mount namespace");
  if (mount(device, at, type, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) fail("mounting it");

  const int root = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) fail("opening its root");
  const struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  const int file = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
  if (file < 0 && errno == ENOENT) return NO_SUCH_FILE;
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) fail("opening it");
  if (!S_ISREG(status.st_mode)) refuse("it is no file");

  static char buffer[64 * 1024];
  long long left = bytes_max;
  for (ssize_t length; (length = read(file, buffer, sizeof buffer)) != 0;) {
    if (length < 0) fail("reading it");
    if ((left -= length) < 0) {
      char why[64];
      snprintf(why, sizeof why, "it is larger than %lld bytes", bytes_max);
      refuse(why);
    }
    for (ssize_t done = 0; done < length;) {
      const ssize_t written = write(STDOUT_FILENO, buffer + done, (size_t)(length - done));
      if (written < 0 && errno != EINTR) fail("handing it on");
      if (written > 0) done += written;
    }
  }
  return 0;
}
