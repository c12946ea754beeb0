# SPDX-License-Identifier: Apache-2.0
"""The system calls that Android lets an app make, on its 64-bit phones; any other kills the app.

From bionic's lists as stored at commit 36cef80bfe609fdc5b784d2ec4a93e12ab6856b7 of the mirror yaap/bionic, read on
2026-11-27: SYSCALLS.TXT, with SECCOMP_ALLOWLIST_COMMON.TXT and SECCOMP_ALLOWLIST_APP.TXT, without
SECCOMP_BLOCKLIST_APP.TXT. Names are Linux's.
"""

_NAMES = """
    accept4 arch_prctl bind bpf brk capget capset chdir clock_getres clock_gettime clock_nanosleep clone close
    close_range connect copy_file_range dup dup3 epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 eventfd2 execve
    execveat exit exit_group faccessat fadvise64 fallocate fchdir fchmod fchmodat fchown fchownat fcntl fdatasync
    fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex getcpu getcwd getdents64
    getegid geteuid getgid getgroups getitimer getpeername getpgid getpid getppid getpriority getrandom getresgid
    getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr inotify_add_watch
    inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_setup io_submit ioctl ioprio_get ioprio_set
    kill lgetxattr linkat listen listxattr llistxattr lremovexattr lseek lsetxattr madvise membarrier memfd_create
    mincore mkdirat mknodat mlock mlock2 mlockall mmap mprotect mremap mseal msync munlock munlockall munmap nanosleep
    newfstatat openat perf_event_open personality pidfd_getfd pidfd_open pidfd_send_signal pipe2 pivot_root ppoll
    prctl pread64 preadv preadv2 prlimit64 process_madvise process_vm_readv process_vm_writev pselect6 ptrace pwrite64
    pwritev pwritev2 quotactl read readahead readlinkat readv recvfrom recvmmsg recvmsg removexattr renameat renameat2
    restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
    sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
    sched_setscheduler sched_yield seccomp sendfile sendmmsg sendmsg sendto set_tid_address setitimer setns setpgid
    setpriority setresuid setrlimit setsid setsockopt setxattr shutdown sigaltstack signalfd4 socket socketpair splice
    statfs statx symlinkat sync sync_file_range syncfs sysinfo tee tgkill timer_create timer_delete timer_getoverrun
    timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname
    unlinkat unshare userfaultfd utimensat vmsplice wait4 waitid write writev
"""
ALLOWED = frozenset(_NAMES.split())

# What glibc on x86-64 calls where bionic calls another: the older of two calls for the same thing.
BIONIC_CALLS = {
    "accept": "accept4", "access": "faccessat", "chmod": "fchmodat", "chown": "fchownat", "clone3": "clone",
    "dup2": "dup3", "epoll_create": "epoll_create1", "epoll_wait": "epoll_pwait", "eventfd": "eventfd2",
    "faccessat2": "faccessat", "fork": "clone", "getdents": "getdents64", "getpgrp": "getpgid", "link": "linkat",
    "lstat": "newfstatat", "mkdir": "mkdirat", "open": "openat", "pipe": "pipe2", "poll": "ppoll",
    "readlink": "readlinkat", "rename": "renameat", "rmdir": "unlinkat", "select": "pselect6", "stat": "newfstatat",
    "symlink": "symlinkat", "unlink": "unlinkat", "vfork": "clone",
}  # fmt: skip

# What glibc does by itself when a thread begins, and bionic does not.
GLIBC_ALONE = frozenset({"rseq", "set_robust_list"})
# numpy's linear algebra, which the test's own server brings and no phone has.
NUMPY = frozenset({"mbind"})
