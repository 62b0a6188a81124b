#include "core/strided.h"

namespace hearth::core {

Strides broadcast_strides(const array& a, const Shape& shape) {
  Strides strides(shape.size(), 0);
  const size_t lead = shape.size() - a.ndim();
  for (size_t i = 0; i < a.ndim(); ++i) {
    if (a.shape()[i] != 1) strides[lead + i] = a.strides()[i];
  }
  return strides;
}

}  // namespace hearth::core
