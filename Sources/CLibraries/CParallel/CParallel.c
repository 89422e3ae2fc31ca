#include "CParallel.h"

// Hands the parts of a closure to `use`; they are valid until it returns. For Swift the first two parameters are
// one, the closure.
__attribute__((swiftcall)) void cparallel_with_parts(
    const void *code, const void *captured, void *user, long number,
    void (*use)(const void *code, const void *captured, void *user, long number)) {
  use(code, captured, user, number);
}
