// How fast this machine reads memory, with the threads of the pool.
#pragma once

namespace hearth {

// GB/s (1e9 bytes): the best of several passes over a block far larger than the caches. Takes about 0.2 s and
// 256 MiB for the time being.
double measure_read_bandwidth();

}  // namespace hearth
