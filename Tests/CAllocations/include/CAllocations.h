// Counts the allocations of a program that links this, on all of its threads.
#pragma once

// Calls of malloc and its relatives so far; 0 for ever where a sanitizer has replaced them.
long callocations_count(void);
