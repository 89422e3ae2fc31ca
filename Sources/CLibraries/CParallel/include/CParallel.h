// A Swift closure `(Int, Int) -> Void` in its two parts, as Swift's calling convention passes it: code, and what
// it captured. Swift itself can only store a closure that escapes, which costs an allocation each time.
#pragma once

// Calls the closure.
static inline void cparallel_call(const void *code, const void *captured, long first, long second) {
  typedef __attribute__((swiftcall)) void (*closure)(
      long, long, __attribute__((swift_context)) const void *);
  ((closure)code)(first, second, captured);
}
