// What the array engine's memory comes to, in bytes, and its limits. Mapped files are not part of it.
//
// Threads: any.
// Source: mlx/memory.h.
#pragma once

#include <cstddef>

namespace hearth::core {

// Held by arrays now; kept by the cache for reuse; the most that was held since the start or reset_peak_memory().
size_t get_active_memory();
size_t get_cache_memory();
size_t get_peak_memory();
void reset_peak_memory();

// An allocation that would bring active memory over the limit empties the cache, then throws OutOfMemory.
// By default there is none beyond the ledger's. Returns the previous limit.
size_t set_memory_limit(size_t limit);
size_t get_memory_limit();

// The cache gives back the largest blocks first when it holds more than this (32 MiB unless set). Returns the previous
// limit.
size_t set_cache_limit(size_t limit);
void clear_cache();

// Bytes that may be kept from being swapped out. Kept for the API: the CPU engine wires nothing. Returns the previous
// limit.
size_t set_wired_limit(size_t limit);

}  // namespace hearth::core
