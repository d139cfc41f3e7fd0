/*
 * first-answer: the console until the console is there.
 *
 *   first-answer SOCKET UID GID [LINE]
 *
 * stage0 starts it beside PID 1. It listens where the console will, and on the virtio-serial port of the console, and
 * answers GET /v1/status with what is known that early: that the system boots, since when, and of which version it is.
 * All else is answered 503 with Retry-After. It drops root as soon as it listens, holds one small request a
 * connection, and waits for nobody longer than REQUEST_MS.
 *
 * It ends when the console has put its own socket in the place of this one: what was accepted by then is still answered.
 * SOCKET's folder is made with the owner that PID 1 gives it later. LINE is a device, or the number of an open
 * descriptor (tests); without it the port is looked for in sysfs. The frames on the line are those of
 * console/link/frame.ts; this is the guest's end of console/link/mux.ts for channels that ask once and are closed.
 */

#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 8192, ANSWER_MAX = 4096, REQUEST_MS = 500, LOOK_MS = 50, LATE_S = 60 };
enum { HEADER = 16, PAYLOAD_MAX = 8192, CHANNELS_MAX = 64, OUT_MAX = 256 * 1024 };
enum { HELLO = 1, HELLO_ACK, RESET, OPEN, DATA, CLOSE, CREDIT };

static const char greeting[] = "aios-link/1 greeting";
enum { GREETING = sizeof greeting - 1 };

/* ------------------------------------------------------------------ what is known */

static char boot_id[64], version[64] = "unknown", kernel[96];
static const char *mode = "machine";
static double started_s;

static double seconds(clockid_t clock) {
  struct timespec now = {0, 0};
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Only what can stand in a JSON string as it is. */
static void copy_plain(char *to, size_t size, const char *from) {
  size_t used = 0;
  for (; *from && used + 1 < size; from++)
    if (isalnum((unsigned char)*from) || strchr("-._+~", *from)) to[used++] = *from;
  to[used] = 0;
}

static int read_text(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, text, size - 1);
  close(fd);
  text[length < 0 ? 0 : length] = 0;
  return length > 0;
}

static void learn(void) {
  char text[1024];
  const char *asked = getenv("AIOS_MODE");
  if (asked && !strcmp(asked, "container")) mode = "container"; /* its boot id is PID 1's to choose */
  else if (read_text("/proc/sys/kernel/random/boot_id", text, sizeof text)) copy_plain(boot_id, sizeof boot_id, text);
  static const char key[] = "\"version\":\"";
  if (read_text("/usr/lib/aios/release.json", text, sizeof text)) {
    char *found = strstr(text, key), *end = found ? strchr(found + sizeof key - 1, '"') : NULL;
    if (end) {
      *end = 0;
      copy_plain(version, sizeof version, found + sizeof key - 1);
    }
  }
  struct utsname name;
  if (uname(&name) == 0) copy_plain(kernel, sizeof kernel, name.release);
  started_s = seconds(CLOCK_BOOTTIME);
}

/* ------------------------------------------------------------------ answers */

/* contracts/init.ts, SystemStatus, with the values of init/defaults.ts */
static int status_json(char *to, size_t size) {
  double now_s = seconds(CLOCK_BOOTTIME);
  char late[256] = "";
  if (now_s - started_s > LATE_S)
    snprintf(late, sizeof late,
             "{\"what\":\"the console does not come up\",\"detail\":\"it was expected %.0f s ago\","
             "\"todo\":\"see the serial console for what PID 1 says\"}",
             now_s - started_s);
  return snprintf(to, size,
                  "{\"state\":\"booting\",\"hostname\":\"aios\",\"machine_id\":\"\",\"boot_id\":\"%s\",\"version\":\"%s\",\"kernel\":\"%s\","
                  "\"mode\":\"%s\",\"uptime_ms\":%.3f,\"time_ms\":%.0f,\"degradations\":[%s],"
                  "\"clock\":{\"from\":\"as the kernel has it\",\"servers\":[],\"synchronised\":false,\"error_ms\":null},"
                  "\"config\":{\"from\":\"the defaults\",\"next\":null},"
                  "\"data\":{\"persistent\":false,\"mount\":\"/var/lib/aios\",\"detail\":\"not looked for yet\",\"used_bytes\":0,"
                  "\"size_bytes\":0,\"inodes_used\":0,\"inodes\":0},\"watchdog\":{\"device\":null,\"timeout_s\":null,\"petted_ms_ago\":null}}",
                  boot_id, version, kernel, mode, now_s * 1e3, seconds(CLOCK_REALTIME) * 1e3, late);
}

static int answer(const char *request, char *to, size_t size) {
  char body[ANSWER_MAX / 2];
  int status = !strncmp(request, "GET /v1/status ", 15);
  int length = status ? status_json(body, sizeof body)
                      : snprintf(body, sizeof body,
                                 "{\"title\":\"Not available now\",\"status\":503,\"detail\":\"the console is starting; so far only "
                                 "GET /v1/status is answered\",\"todo\":\"ask again in a second\"}");
  return snprintf(to, size,
                  "HTTP/1.1 %s\r\ncontent-type: application/%s\r\ncontent-length: %d\r\ncache-control: no-store\r\n%s"
                  "connection: close\r\n\r\n%s",
                  status ? "200 OK" : "503 Service Unavailable", status ? "json" : "problem+json", length,
                  status ? "aios-source: first-answer\r\n" : "retry-after: 1\r\n", body);
}

/* The request is whole with its header: what has a body is answered 503 all the same. */
static int is_whole(const char *request) { return strstr(request, "\r\n\r\n") != NULL; }

/* ------------------------------------------------------------------ the socket */

/* One at a time, each within REQUEST_MS: whoever may connect is an operator, and nobody is kept waiting for long. */
static void serve(int fd) {
  char request[REQUEST_MAX + 1], out[ANSWER_MAX];
  size_t used = 0;
  const double until_s = seconds(CLOCK_MONOTONIC) + REQUEST_MS / 1e3;
  for (;;) {
    int left_ms = (int)((until_s - seconds(CLOCK_MONOTONIC)) * 1e3);
    struct pollfd readable = {fd, POLLIN, 0};
    if (left_ms <= 0 || poll(&readable, 1, left_ms) <= 0) return;
    ssize_t got = read(fd, request + used, REQUEST_MAX - used);
    if (got <= 0) return;
    used += (size_t)got;
    request[used] = 0;
    if (is_whole(request)) break;
    if (used == REQUEST_MAX) return;
  }
  int length = answer(request, out, sizeof out);
  if (send(fd, out, (size_t)length, MSG_NOSIGNAL) < 0) return; /* it does not want to hear it any more */
}

static void accept_all(int listener) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; close(fd)) serve(fd);
}

static void make_folder(const char *path, uid_t uid, gid_t gid) {
  mkdir(path, 0755);
  if (chown(path, uid, gid) != 0 || chmod(path, 0755) != 0) return; /* PID 1 does it again, and says why it cannot */
}

/* The folder that is the console's own and the one above it: docs/LAYOUT.md. */
static void make_folders(const char *socket_path, uid_t uid, gid_t gid) {
  char path[108];
  int levels = 0;
  snprintf(path, sizeof path, "%s", socket_path);
  for (char *slash = path; (slash = strrchr(path, '/')) && slash != path; levels++) {
    *slash = 0;
    if (access(path, F_OK) == 0) break;
  }
  for (; levels >= 0; levels--) {
    size_t length = strlen(path);
    if (access(path, F_OK) != 0) make_folder(path, levels <= 1 ? uid : 0, levels <= 1 ? gid : 0);
    if (levels > 0) path[length] = '/';
  }
}

static int listen_at(const char *path, uid_t uid, gid_t gid) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  umask(0777); /* between bind and chmod nobody may connect */
  int bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && chown(path, uid, gid) == 0 && chmod(path, 0660) == 0;
  umask(022);
  if (bound && listen(fd, 64) == 0) return fd;
  close(fd);
  return -1;
}

/* ------------------------------------------------------------------ the line */

static struct channel { uint32_t id; size_t used; int open, answered; char request[REQUEST_MAX + 1]; } channels[CHANNELS_MAX];
static unsigned char in[2 * (HEADER + PAYLOAD_MAX)], out[OUT_MAX];
static size_t in_used, out_used;
static uint32_t session;
static int line = -1, up, in_step;

static uint32_t be32(const unsigned char *at) { return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]; }
static void put32(unsigned char *at, uint32_t value) { for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (24 - 8 * i)); }

/* What does not fit is dropped: the host that does not read begins a new session. */
static void put(const void *bytes, size_t count) {
  if (out_used + count > OUT_MAX) return;
  memcpy(out + out_used, bytes, count);
  out_used += count;
}

static void put_frame(int type, uint32_t of_session, uint32_t channel, const void *payload, size_t length) {
  unsigned char header[HEADER] = {0xa1, 0x05, (unsigned char)type, 0};
  if (out_used + HEADER + length > OUT_MAX) return;
  put32(header + 4, of_session);
  put32(header + 8, channel);
  put32(header + 12, (uint32_t)length);
  put(header, HEADER);
  put(payload, length);
}

static void flush_line(void) {
  while (out_used > 0) {
    ssize_t sent = write(line, out, out_used);
    if (sent <= 0) return;
    memmove(out, out + sent, out_used - (size_t)sent);
    out_used -= (size_t)sent;
  }
}

static struct channel *channel_of(uint32_t id) {
  for (size_t i = 0; i < CHANNELS_MAX; i++)
    if (channels[i].open && channels[i].id == id) return &channels[i];
  return NULL;
}

static void end_session(void) {
  for (size_t i = 0; i < CHANNELS_MAX; i++) channels[i].open = 0;
  up = 0;
}

static void take_open(uint32_t id) {
  for (size_t i = 0; i < CHANNELS_MAX; i++) {
    struct channel *c = &channels[i];
    if (c->open) continue;
    c->id = id;
    c->used = 0;
    c->open = 1;
    c->answered = 0;
    return;
  }
  put_frame(CLOSE, session, id, NULL, 0);
}

static void take_data(struct channel *c, const unsigned char *payload, size_t length) {
  char text[ANSWER_MAX];
  if (c->answered) return;
  size_t fits = REQUEST_MAX - c->used < length ? REQUEST_MAX - c->used : length;
  memcpy(c->request + c->used, payload, fits);
  c->used += fits;
  c->request[c->used] = 0;
  if (!is_whole(c->request) && c->used < REQUEST_MAX) return;
  int count = answer(is_whole(c->request) ? c->request : "", text, sizeof text);
  put_frame(DATA, session, c->id, text, (size_t)count);
  put_frame(CLOSE, session, c->id, NULL, 0);
  c->answered = 1;
}

static void take_frame(int type, uint32_t of_session, uint32_t id, const unsigned char *payload, size_t length) {
  if (type == HELLO) {
    if (!up || of_session != session) end_session();
    session = of_session;
    up = 1;
    put_frame(HELLO_ACK, session, 0, greeting, GREETING);
    return;
  }
  if (!up || of_session != session) return;
  struct channel *c = channel_of(id);
  if (type == OPEN && !c) take_open(id);
  else if (type == DATA && c) take_data(c, payload, length);
  else if (type == CLOSE && c) {
    if (!c->answered) put_frame(CLOSE, session, id, NULL, 0);
    c->open = 0;
  }
}

/* As FrameReader: out of step, only a greeting can begin here. @returns the payload's length, or -1 */
static long payload_length(void) {
  int type = in[2];
  uint32_t length = be32(in + 12);
  if (in[0] != 0xa1 || in[1] != 0x05 || in[3] != 0) return -1;
  if (type >= HELLO && type <= RESET) return length == GREETING ? (long)length : -1;
  return in_step && type >= OPEN && type <= CREDIT && length <= PAYLOAD_MAX ? (long)length : -1;
}

static void drop(size_t count) {
  memmove(in, in + count, in_used - count);
  in_used -= count;
}

static void skip(void) {
  if (in_step) {
    end_session();
    put_frame(RESET, 0, 0, greeting, GREETING);
  }
  in_step = 0;
  size_t at = 1;
  while (at < in_used && in[at] != 0xa1) at++;
  drop(at);
}

static void read_line(void) {
  ssize_t got;
  while ((got = read(line, in + in_used, sizeof in - in_used)) > 0) {
    in_used += (size_t)got;
    while (in_used >= HEADER) {
      long length = payload_length();
      if (length >= 0 && in_used < HEADER + (size_t)length) break;
      int is_greeting = length >= 0 && in[2] <= RESET;
      if (length < 0 || (is_greeting && memcmp(in + HEADER, greeting, GREETING) != 0)) {
        skip();
        continue;
      }
      in_step = 1;
      take_frame(in[2], be32(in + 4), be32(in + 8), in + HEADER, (size_t)length);
      drop(HEADER + (size_t)length);
    }
  }
}

static int find_line(char *device, size_t size) {
  static const char ports[] = "/sys/class/virtio-ports";
  DIR *folder = opendir(ports);
  if (!folder) return 0;
  int found = 0;
  for (struct dirent *entry; !found && (entry = readdir(folder));) {
    char path[512], name[64];
    snprintf(path, sizeof path, "%s/%s/name", ports, entry->d_name);
    if (entry->d_name[0] == '.' || !read_text(path, name, sizeof name)) continue;
    found = !strcmp(strtok(name, "\n"), "aios.console");
    if (found) snprintf(device, size, "/dev/%s", entry->d_name);
  }
  closedir(folder);
  return found;
}

static void open_line(const char *wanted) {
  static const unsigned char preamble[HEADER + PAYLOAD_MAX];
  char device[300];
  if (wanted && isdigit((unsigned char)*wanted)) {
    line = atoi(wanted);
    if (fcntl(line, F_SETFL, O_NONBLOCK) != 0) line = -1;
  } else if (wanted || find_line(device, sizeof device)) line = open(wanted ? wanted : device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (line < 0) return;
  put(preamble, sizeof preamble);
  put_frame(RESET, 0, 0, greeting, GREETING);
}

/* ------------------------------------------------------------------ */

static _Noreturn void fail(const char *what, const char *about) {
  fprintf(stderr, "first-answer: %s \"%s\" failed: %s; the system starts without a first answer\n", what, about, strerror(errno));
  exit(1);
}

static void drop_root(uid_t uid, gid_t gid) {
  if (geteuid() != 0) return; /* a test */
  if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) fail("becoming", "the console's user");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("setting", "no_new_privs");
}

/* Beside PID 1, so that the root of the tree can hand its controllers down (init/boot/cgroups.ts). */
static void enter_cgroup(void) {
  mkdir("/sys/fs/cgroup/init", 0755);
  int fd = open("/sys/fs/cgroup/init/cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "0", 1) < 0) errno = 0; /* no cgroups, no rule that one could break */
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fputs("usage: first-answer SOCKET UID GID [LINE]\n", stderr);
    return 2;
  }
  const uid_t uid = (uid_t)strtoul(argv[2], NULL, 10);
  const gid_t gid = (gid_t)strtoul(argv[3], NULL, 10);
  signal(SIGPIPE, SIG_IGN);
  learn();
  if (getppid() == 1) enter_cgroup();
  make_folders(argv[1], uid, gid);
  int listener = listen_at(argv[1], uid, gid);
  struct stat ours, now;
  if (listener < 0 || stat(argv[1], &ours) != 0) fail("listening at", argv[1]);
  open_line(argv[4]);
  drop_root(uid, gid);

  int line_is_there = line >= 0;
  while (stat(argv[1], &now) == 0 && now.st_ino == ours.st_ino && now.st_dev == ours.st_dev) {
    struct pollfd waited[2] = {{listener, POLLIN, 0}, {line_is_there ? line : -1, (short)(POLLIN | (out_used > 0 ? POLLOUT : 0)), 0}};
    if (poll(waited, 2, LOOK_MS) < 0 && errno != EINTR) break;
    accept_all(listener);
    if (line < 0) continue;
    read_line();
    flush_line();
    line_is_there = !(waited[1].revents & (POLLHUP | POLLERR)); /* nobody is connected: looked at again after LOOK_MS */
    if (waited[1].fd < 0) line_is_there = 1;
  }
  if (line >= 0) close(line); /* the console opens it next */
  accept_all(listener);
  return 0;
}
