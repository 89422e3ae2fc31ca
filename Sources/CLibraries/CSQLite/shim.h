#include <sqlite3.h>

// Swift cannot call functions with a variable number of arguments.

// Has the library not count the memory that it takes, which takes a lock for each piece. Before the first
// connection; returns SQLITE_OK or an error.
static inline int sqlite3_count_no_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
