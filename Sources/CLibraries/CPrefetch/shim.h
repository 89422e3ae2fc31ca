// Hints to the processor's caches, which Swift has no words for.
#pragma once

// Asks for the cache line at `place` to come into the second-level cache; any address will do.
static inline void cprefetch_line(const void *place) { __builtin_prefetch(place, 0, 2); }
