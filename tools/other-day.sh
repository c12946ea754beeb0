#!/usr/bin/env bash
# Run parts of .ci/run with the machine's clock set to other days, so that no test depends on the day on which it runs.
# Usage: other-day.sh                      fast and PostgreSQL on six days, the other parts on two
#        other-day.sh "DAY" PART...        these parts on one day; DAY as `date` reads it, in UTC
# libfaketime moves the clock of every process by one offset; monotonic clocks and the times of files stay as they are.
set -uo pipefail
cd "$(dirname "$0")/.."
. tools/system-packages.sh
command -v faketime >/dev/null 2>&1 || need_package faketime "the tests on other days" required
command -v gcc >/dev/null 2>&1 || need_package gcc "the tests on other days" required

folder=$(mktemp -d)
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
# Where libfaketime 0.9.10 leaves the monotonic clock alone, it refuses the absolute sleeps of Python's time.sleep(), ends
# waits for conditions on that clock at once (Chromium and Python's interpreter lock would spin), and shows the true time
# to a signal handler that interrupts a wait: PostgreSQL's timeouts would never come.
gcc -shared -fPIC -o "$folder/waits.so" -x c - <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request, struct timespec *rest) {
  return syscall(SYS_clock_nanosleep, clock, flags, request, rest) == 0 ? 0 : errno;
}
int epoll_wait(int epoll, struct epoll_event *events, int most, int milliseconds) {
  return syscall(SYS_epoll_pwait, epoll, events, most, milliseconds, (void *)0, 8);
}
int poll(struct pollfd *files, nfds_t count, int milliseconds) {
  struct timespec wait = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  return syscall(SYS_ppoll, files, count, milliseconds < 0 ? (void *)0 : &wait, (void *)0, 8);
}
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  static int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  struct timespec moved, actual, deadline = *until;
  if (!wait)
    wait = dlsym(dlopen("libc.so.6", RTLD_LAZY), "pthread_cond_timedwait");
  /* glibc notes here whether a condition counts by the monotonic clock. */
  if (!(condition->__data.__wrefs & 2)) {
    clock_gettime(CLOCK_REALTIME, &moved);
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &actual);
    deadline.tv_sec -= moved.tv_sec - actual.tv_sec;
  }
  return wait(condition, mutex, &deadline);
}
END
faketime_library=$(faketime -f +0s printenv LD_PRELOAD)
failed_days=()

# on DAY PART...
on() {
  local day=$1 seconds
  shift
  seconds=$(date -ud "$day" +%s) || exit 2
  seconds=$((seconds - $(date +%s)))
  echo "==== $(date -ud "$day" '+%A %F %R'): $*"
  FAKETIME=$(printf '%+d' "$seconds") FAKETIME_DONT_FAKE_MONOTONIC=1 LD_PRELOAD="$folder/waits.so:$faketime_library" \
    .ci/run "$@" || failed_days+=("$day")
}

if [ $# -gt 1 ]; then
  on "$@"
else
  on "2026-12-31 23:30" fast PostgreSQL
  on "2028-02-29 10:00" fast PostgreSQL browser rest
  # A Monday in Vietnam, and still Sunday by UTC: weeks, and the keys of weeks, begin.
  on "2027-03-01 00:05 +07" fast PostgreSQL
  # The first day of the lunar year.
  on "2027-02-06 08:00" fast PostgreSQL
  on "now + 2 years" fast PostgreSQL browser rest
  on "yesterday" fast PostgreSQL
fi
[ ${#failed_days[@]} -eq 0 ] && exit 0
printf 'failed on: %s\n' "${failed_days[@]}"
exit 1
