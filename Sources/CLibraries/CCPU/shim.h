// What Swift's view of the C library lacks about processor and thread.
#pragma once

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Cores in the affinity mask of this thread, or 0 if the kernel does not say.
static inline int ccpu_affinity_count(void) {
  unsigned char mask[8192];
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  int count = 0;
  for (long i = 0; i < bytes; i++) count += __builtin_popcount(mask[i]);
  return count;
}

// Names the calling thread; the kernel keeps 15 bytes.
static inline void ccpu_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// Which x86-64 instruction set levels this processor and its operating system support.

#if defined(__x86_64__)
static inline int ccpu_supports_x86_64_v3(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v3") != 0;
}
static inline int ccpu_supports_x86_64_v4(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v4") != 0;
}
static inline void ccpu_relax(void) { __builtin_ia32_pause(); }
#else
static inline int ccpu_supports_x86_64_v3(void) { return 0; }
static inline int ccpu_supports_x86_64_v4(void) { return 0; }
#if defined(__aarch64__)
static inline void ccpu_relax(void) { __asm__ volatile("yield"); }
#else
static inline void ccpu_relax(void) {}
#endif
#endif
