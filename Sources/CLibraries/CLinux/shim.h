// What Swift's view of the C library lacks on Linux. Each function answers -1 with errno, unless it says
// otherwise.
#pragma once

#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// One thing that happened, in a layout that Swift can read (the kernel's own is packed).
struct clinux_event {
  uint64_t token;
  uint32_t flags;
};

static const uint32_t clinux_readable = EPOLLIN;
static const uint32_t clinux_writable = EPOLLOUT;
static const uint32_t clinux_peer_closed = EPOLLRDHUP;
static const uint32_t clinux_broken = EPOLLERR | EPOLLHUP;
static const uint32_t clinux_edge_triggered = EPOLLET;
static const uint32_t clinux_exclusive = EPOLLEXCLUSIVE;

static inline int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int clinux_epoll_add(int epoll, int watched, uint32_t flags, uint64_t token) {
  struct epoll_event event = {.events = flags, .data = {.u64 = token}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, watched, &event);
}

static inline int clinux_epoll_remove(int epoll, int watched) {
  return epoll_ctl(epoll, EPOLL_CTL_DEL, watched, 0);
}

#define CLINUX_EVENTS_MAX 256

// Waits for up to CLINUX_EVENTS_MAX events; a negative time-out waits for ever.
static inline int clinux_epoll_wait(int epoll, struct clinux_event *events, int timeout_milliseconds) {
  struct epoll_event ready[CLINUX_EVENTS_MAX];
  int count = epoll_wait(epoll, ready, CLINUX_EVENTS_MAX, timeout_milliseconds);
  for (int i = 0; i < count; i++) {
    events[i].token = ready[i].data.u64;
    events[i].flags = ready[i].events;
  }
  return count;
}

static inline int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// pipe2(2) without the feature macro that declares it: ends[0] is read, ends[1] written.
static inline int clinux_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

// Two connected stream sockets of this machine.
static inline int clinux_socket_pair(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static inline int clinux_stream_socket(int family, int nonblocking) {
  return socket(family, SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);
}

// accept4(2) without the feature macro that declares it.
static inline int clinux_accept(int listener, struct sockaddr *address, socklen_t *bytes) {
  return (int)syscall(SYS_accept4, listener, address, bytes, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

// Never raises SIGPIPE. With more_follows the kernel may wait for the next write before it sends.
static inline ssize_t clinux_send(int socket, const void *bytes, size_t count, int more_follows) {
  return send(socket, bytes, count, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
}

// Sets how long the calling thread's turns on a processor last, in nanoseconds (100 us to 100 ms; 0: the kernel's
// choice), as Linux 6.12 and later take it for ordinary threads; others ignore it. Policy and niceness stay. Threads and
// processes that it starts inherit it. Not every C library has sched_setattr.
static inline long clinux_set_slice(uint64_t nanoseconds) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {.size = 48, .policy = (uint32_t)sched_getscheduler(0), .nice = getpriority(PRIO_PROCESS, 0)};
  if (attributes.policy != SCHED_OTHER) return 0;
  attributes.runtime = nanoseconds;
  return syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static inline ssize_t clinux_sendfile(int socket, int file, off_t offset, size_t count) {
  return sendfile(socket, file, &offset, count);
}

// Declared by glibc under a feature macro only (since 2.34).
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// Has a child begin without the descriptors from `from` on. Answers 0 or an error number.
static inline int clinux_spawn_closing(posix_spawn_file_actions_t *actions, int from) {
  return posix_spawn_file_actions_addclosefrom_np(actions, from);
}

// Sets how the allocator gives memory back (mallopt(3)).
static inline void clinux_heap_options(int mapped_bytes_min, int kept_bytes_max, int arenas_max) {
  mallopt(M_MMAP_THRESHOLD, mapped_bytes_min);
  mallopt(M_TRIM_THRESHOLD, kept_bytes_max);
  mallopt(M_ARENA_MAX, arenas_max);
}

static inline void clinux_heap_trim(void) { malloc_trim(0); }
