// SPDX-License-Identifier: Apache-2.0
// A machine of the explorer: its clock, its disk and its power, for each process that loads this library.
//
// The clock is the one in the control block. Below its folder each change of the disk is counted; at a chosen change the
// process dies, as at a power cut, and while the disk has a fault each change fails. All other calls pass through.
// Processes get their control block by BLUEZONE_MACHINE, a file; without it nothing differs from a plain machine.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { SOUND, NO_SPACE, NO_INODES, READ_ONLY };

// As machine.py writes it.
struct control {
  double wall;
  double uptime;
  long long kill_after;  // changes until a process dies, below 0 for never
  long long changes;
  long long space;  // bytes that a full disk still takes
  int victim;       // the role that dies
  int torn;         // whether half of its last write reaches the disk
  int fault;
  int synchronised;
  char boot[40];
  char folder[128];
};

static struct control *machine;
static int role = -1;

// The explorer calls it in a process that it has made. Returns 0 if the control block is there.
int machine_join(const char *path, int as) {
  int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  void *block;
  if (file < 0)
    return -1;
  block = mmap(NULL, sizeof *machine, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  syscall(SYS_close, file);
  if (block == MAP_FAILED)
    return -1;
  role = as;
  machine = block;
  return 0;
}

// A `serve` and its processes join at their start, as role 0, with the clock of the real machine.
__attribute__((constructor)) static void join_by_environment(void) {
  const char *path = getenv("BLUEZONE_MACHINE");
  if (path)
    machine_join(path, 0);
}

#define NEXT(name) \
  static __typeof__(&name) next; \
  if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int inside(const char *path) {
  return strncmp(path, machine->folder, strlen(machine->folder)) == 0;
}

static int path_of(int file, char *path, size_t size) {
  char link[40];
  ssize_t length;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  length = readlink(link, path, size - 1);
  if (length < 0)
    return 0;
  path[length] = 0;
  return 1;
}

static int below(int folder, const char *path) {
  char above[4096];
  if (!machine || !path)
    return 0;
  if (path[0] == '/')
    return inside(path);
  if (folder == AT_FDCWD)
    return getcwd(above, sizeof above) && inside(above);
  return path_of(folder, above, sizeof above) && inside(above);
}

// Whether a file is below the folder. The path of a file is read once: a memory file system gives no inode again.
static int stored(int file) {
  static struct seen {
    dev_t device;
    ino_t inode;
    int inside;
  } files[256];
  struct seen *seen = &files[file & 255];
  char path[4096];
  struct stat kind;
  if (!machine || file <= 2 || fstat(file, &kind) || !S_ISREG(kind.st_mode))
    return 0;
  if (seen->device != kind.st_dev || seen->inode != kind.st_ino) {
    seen->inside = path_of(file, path, sizeof path) && inside(path);
    seen->device = kind.st_dev;
    seen->inode = kind.st_ino;
  }
  return seen->inside;
}

// A change of the disk: returns 0 if it may be made, else sets errno. makes: a new entry, which needs an inode.
static int change(int makes, int needs_space) {
  if (machine->kill_after >= 0 && role == machine->victim && machine->kill_after-- == 0)
    _exit(137);
  machine->changes++;
  if (machine->fault == READ_ONLY)
    errno = EROFS;
  else if ((machine->fault == NO_SPACE && needs_space) || (machine->fault == NO_INODES && makes))
    errno = ENOSPC;
  else
    return 0;
  return -1;
}

static int dying;

// How many of some bytes may be written, -1 for an error. Half of a torn write is written before the process dies.
static ssize_t room(size_t count) {
  if (machine->torn && machine->kill_after == 0 && role == machine->victim && count > 1) {
    dying = 1;
    return count / 2;
  }
  if (change(0, machine->space <= 0))
    return -1;
  if (machine->fault != NO_SPACE)
    return count;
  if ((long long)count > machine->space)
    count = machine->space;
  machine->space -= count;
  return count;
}

static ssize_t written(ssize_t count) {
  if (dying)
    _exit(137);
  return count;
}

ssize_t write(int file, const void *bytes, size_t count) {
  NEXT(write);
  ssize_t most = count && stored(file) ? room(count) : (ssize_t)count;
  return most < 0 ? -1 : written(next(file, bytes, most));
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  NEXT(pwrite64);
  ssize_t most = count && stored(file) ? room(count) : (ssize_t)count;
  return most < 0 ? -1 : written(next(file, bytes, most, at));
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  NEXT(pwrite);
  ssize_t most = count && stored(file) ? room(count) : (ssize_t)count;
  return most < 0 ? -1 : written(next(file, bytes, most, at));
}

int fsync(int file) {
  NEXT(fsync);
  return stored(file) && change(0, 0) ? -1 : next(file);
}

int fdatasync(int file) {
  NEXT(fdatasync);
  return stored(file) && change(0, 0) ? -1 : next(file);
}

int ftruncate(int file, off_t size) {
  NEXT(ftruncate);
  return stored(file) && change(0, 0) ? -1 : next(file, size);
}

int ftruncate64(int file, off64_t size) {
  NEXT(ftruncate64);
  return stored(file) && change(0, 0) ? -1 : next(file, size);
}

int rename(const char *from, const char *to) {
  NEXT(rename);
  return below(AT_FDCWD, to) && change(0, 0) ? -1 : next(from, to);
}

int renameat(int folder, const char *from, int target, const char *to) {
  NEXT(renameat);
  return below(target, to) && change(0, 0) ? -1 : next(folder, from, target, to);
}

int link(const char *from, const char *to) {
  NEXT(link);
  return below(AT_FDCWD, to) && change(0, 0) ? -1 : next(from, to);
}

int unlink(const char *path) {
  NEXT(unlink);
  return below(AT_FDCWD, path) && change(0, 0) ? -1 : next(path);
}

int unlinkat(int folder, const char *path, int flags) {
  NEXT(unlinkat);
  return below(folder, path) && change(0, 0) ? -1 : next(folder, path, flags);
}

int mkdir(const char *path, mode_t mode) {
  NEXT(mkdir);
  return below(AT_FDCWD, path) && change(1, 1) ? -1 : next(path, mode);
}

static int opening(int folder, const char *path, int flags) {
  int makes;
  if (!(flags & (O_CREAT | O_WRONLY | O_RDWR)) || !below(folder, path))
    return 0;
  makes = flags & O_CREAT && faccessat(folder, path, F_OK, 0) != 0;
  if (!makes && machine->fault == READ_ONLY && flags & (O_WRONLY | O_RDWR)) {
    errno = EROFS;
    return -1;
  }
  return makes ? change(1, 1) : 0;
}

#define MODE \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  }

// What the kernel says of its uptime and its boot is in the machine's own files.
static int own_clock(void) { return machine && machine->wall > 0; }

static const char *proc(const char *path) {
  static char own[2][200];
  int which = strcmp(path, "/proc/uptime") == 0 ? 0 : strcmp(path, "/proc/sys/kernel/random/boot_id") == 0 ? 1 : -1;
  FILE *file;
  if (!own_clock() || which < 0)
    return path;
  snprintf(own[which], sizeof own[which], "%s.%s", machine->folder, which ? "boot" : "uptime");
  file = fopen(own[which], "w");
  if (which)
    fprintf(file, "%s\n", machine->boot);
  else
    fprintf(file, "%.2f 0.00\n", machine->uptime);
  fclose(file);
  return own[which];
}

int open(const char *path, int flags, ...) {
  MODE
  NEXT(open);
  return opening(AT_FDCWD, path, flags) ? -1 : next(proc(path), flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE
  NEXT(open64);
  return opening(AT_FDCWD, path, flags) ? -1 : next(proc(path), flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
  MODE
  NEXT(openat);
  return opening(folder, path, flags) ? -1 : next(folder, proc(path), flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
  MODE
  NEXT(openat64);
  return opening(folder, path, flags) ? -1 : next(folder, proc(path), flags, mode);
}

static struct timespec moment(double seconds) {
  struct timespec now;
  now.tv_sec = (time_t)seconds;
  now.tv_nsec = (long)((seconds - (double)now.tv_sec) * 1e9);
  return now;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  NEXT(clock_gettime);
  if (own_clock() && clock == CLOCK_BOOTTIME)
    *now = moment(machine->uptime);
  else if (own_clock() && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    *now = moment(machine->wall);
  else
    return next(clock, now);
  return 0;
}

time_t time(time_t *now) {
  NEXT(time);
  if (!own_clock())
    return next(now);
  if (now)
    *now = (time_t)machine->wall;
  return (time_t)machine->wall;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  NEXT(gettimeofday);
  if (!own_clock())
    return next(now, zone);
  now->tv_sec = (time_t)machine->wall;
  now->tv_usec = moment(machine->wall).tv_nsec / 1000;
  return 0;
}

int adjtimex(struct timex *state) {
  NEXT(adjtimex);
  if (!own_clock())
    return next(state);
  return machine->synchronised ? TIME_OK : TIME_ERROR;
}
