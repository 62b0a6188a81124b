// Working memory that a thread keeps from call to call, so that kernels do not allocate.
#pragma once

#include <cstddef>

namespace hearth::cpu {

// At least `floats` floats of the calling thread, 64-byte aligned, with any content. Valid until the thread's next call
// with the same purpose. Throws OutOfMemory, std::bad_alloc.
enum class ScratchUse { kTile, kShared };
float* thread_scratch(ScratchUse use, size_t floats);

}  // namespace hearth::cpu
