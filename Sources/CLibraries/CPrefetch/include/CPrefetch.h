// The processor's hint that memory is read soon, which Swift has no word for.
#pragma once

// Asks for the cache line at `place` to come into the second-level cache; any address will do.
static inline void cprefetch(const void *place) { __builtin_prefetch(place, 0, 2); }
