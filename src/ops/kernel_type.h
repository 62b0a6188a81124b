// Private to ops: from an array's dtype to the kernels' (one order, so the value carries over), and shape checks.
#pragma once

#include <stdexcept>
#include <string>

#include "core/cpu/dtype.h"
#include "core/mx.h"

namespace hearth::ops {

inline cpu::Dtype kernel_type(mx::Dtype type) { return static_cast<cpu::Dtype>(type.val()); }

// The types whose arithmetic is float32.
inline bool is_short_float(mx::Dtype type) { return cpu::is_short_float(kernel_type(type)); }

// Throws std::invalid_argument("[function] reason") unless `holds`.
inline void require(bool holds, const char* function, const char* reason) {
  if (!holds) throw std::invalid_argument("[" + std::string(function) + "] " + reason);
}

}  // namespace hearth::ops
