// A library for LD_PRELOAD that makes file operations of a process fail, or ends the process at one of them.
//
//   FAULT_FOLDER   operations on files below this folder count; all others pass
//   FAULT_ROLE     first argument of the processes that are meant: serve, work; empty: all
//   FAULT_TRACE    file to which each operation is appended as "OPERATION KIND"; KIND is the file's name
//                  with each number replaced by #, and "run" for a folder of a job, whose name is chance
//   FAULT_POINT    OPERATION:KIND:N, the N-th such operation (from 1); N = * means each
//   FAULT_ACTION   before | after: the process ends there as by SIGKILL; enospc | eio: the operation fails so;
//                  short: a write takes at most 5 bytes
//   FAULT_ONCE     file that is made when the fault happens; while it is there, none happens; empty: none is made
//   FAULT_WHILE    file without which no fault happens
//   FAULT_FREE     file with a number of bytes that statvfs reports as free
//   FAULT_CLOCK    file with a number of seconds by which the time of day is off
//
// Built by: cc -shared -fPIC -O1 -o faults.so faults.c -ldl

#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static atomic_int seen;

static void describe(const char *path, char *kind, size_t size) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  if (slash && slash - path >= 5 && strncmp(slash - 5, "/runs", 5) == 0) name = "run";
  size_t length = 0;
  for (; *name && length + 1 < size; name++) {
    int is_digit = isdigit((unsigned char)*name);
    if (is_digit && length > 0 && kind[length - 1] == '#') continue;
    kind[length++] = is_digit ? '#' : *name;
  }
  kind[length] = 0;
}

static int is_role(void) {
  static int known;  // 0: not asked yet, 1: meant, 2: not
  if (known) return known == 1;
  const char *role = getenv("FAULT_ROLE");
  known = 1;
  if (role && *role) {
    char text[4096] = {0};
    int file = syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY);
    ssize_t count = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    size_t first = strlen(text) + 1;
    known = count > (ssize_t)first && strcmp(text + first, role) == 0 ? 1 : 2;
  }
  return known == 1;
}

static void note(const char *operation, const char *kind) {
  const char *trace = getenv("FAULT_TRACE");
  if (!trace) return;
  char line[512];
  int count = snprintf(line, sizeof line, "%s %s\n", operation, kind);
  int file = syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_APPEND | O_CREAT, 0644);
  syscall(SYS_write, file, line, count);
  syscall(SYS_close, file);
}

// Whether this operation is the one that is to fail.
static int is_hit(const char *operation, const char *path) {
  const char *folder = getenv("FAULT_FOLDER");
  if (!folder || strncmp(path, folder, strlen(folder)) != 0 || !is_role()) return 0;
  char kind[256], wanted[600];
  describe(path, kind, sizeof kind);
  note(operation, kind);
  const char *point = getenv("FAULT_POINT");
  if (!point) return 0;
  int length = snprintf(wanted, sizeof wanted, "%s:%s:", operation, kind);
  if (strncmp(point, wanted, length) != 0) return 0;
  const char *condition = getenv("FAULT_WHILE");
  if (condition && access(condition, F_OK) != 0) return 0;
  if (point[length] != '*' && atomic_fetch_add(&seen, 1) + 1 != atoi(point + length)) return 0;
  const char *once = getenv("FAULT_ONCE");
  if (!once || !*once) return 1;
  int file = syscall(SYS_openat, AT_FDCWD, once, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (file < 0) return 0;
  syscall(SYS_close, file);
  return 1;
}

static int is_hit_fd(const char *operation, int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t count = readlink(link, path, sizeof path - 1);
  if (count < 0) return 0;
  path[count] = 0;
  return is_hit(operation, path);
}

static int is_action(const char *name) {
  const char *action = getenv("FAULT_ACTION");
  return action && strcmp(action, name) == 0;
}

static void end(const char *when) {
  if (is_action(when)) kill(getpid(), SIGKILL);
}

// The error by which the operation is to fail; 0: by none.
static int failure(void) { return is_action("enospc") ? ENOSPC : is_action("eio") ? EIO : 0; }

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define GUARDED(hit, type, call)             \
  int is_fault = hit;                        \
  if (is_fault) {                            \
    end("before");                           \
    int error = failure();                   \
    if (error) { errno = error; return -1; } \
  }                                          \
  type result = call;                        \
  if (is_fault) end("after");                \
  return result

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(write);
  GUARDED(is_hit_fd("write", fd), ssize_t,
          real(fd, bytes, is_fault && is_action("short") && count > 5 ? 5 : count));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  REAL(pwrite64);
  GUARDED(is_hit_fd("write", fd), ssize_t, real(fd, bytes, count, at));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }

int fsync(int fd) {
  REAL(fsync);
  GUARDED(is_hit_fd("sync", fd), int, real(fd));
}

int fdatasync(int fd) {
  REAL(fdatasync);
  GUARDED(is_hit_fd("sync", fd), int, real(fd));
}

int ftruncate64(int fd, off64_t size) {
  REAL(ftruncate64);
  GUARDED(is_hit_fd("truncate", fd), int, real(fd, size));
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int rename(const char *old, const char *new) {
  REAL(rename);
  GUARDED(is_hit("rename", new), int, real(old, new));
}

int unlink(const char *path) {
  REAL(unlink);
  GUARDED(is_hit("remove", path), int, real(path));
}

int mkdir(const char *path, mode_t mode) {
  int (*real)(const char *, mode_t) = (int (*)(const char *, mode_t))dlsym(RTLD_NEXT, "mkdir");
  GUARDED(is_hit("mkdir", path), int, real(path, mode));
}

static int pretend(unsigned long *available, unsigned long unit) {
  const char *path = getenv("FAULT_FREE");
  FILE *file = path ? fopen(path, "r") : NULL;
  if (!file) return 0;
  unsigned long bytes = 0;
  if (fscanf(file, "%lu", &bytes) == 1) *available = bytes / unit;
  fclose(file);
  return 0;
}

int statvfs(const char *path, struct statvfs *status) {
  REAL(statvfs);
  int result = real(path, status);
  return result == 0 ? pretend((unsigned long *)&status->f_bavail, status->f_frsize) : result;
}

int statvfs64(const char *path, struct statvfs64 *status) {
  REAL(statvfs64);
  int result = real(path, status);
  return result == 0 ? pretend((unsigned long *)&status->f_bavail, status->f_frsize) : result;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, time);
  const char *path = clock == CLOCK_REALTIME ? getenv("FAULT_CLOCK") : NULL;
  FILE *file = path && is_role() ? fopen(path, "r") : NULL;
  if (!file) return result;
  long seconds = 0;
  if (fscanf(file, "%ld", &seconds) == 1) time->tv_sec += seconds;
  fclose(file);
  return result;
}
