#include "core/primitive.h"

#include <cstring>

#include "core/copy.h"
#include "core/node.h"
#include "core/observe.h"

namespace hearth::core {

Strides row_strides(const Shape& shape) {
  Strides strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

void allocate(array& out) {
  out.set_data(Storage::allocate(out.nbytes()));
  if (Observation::current) std::memset(out.storage()->data(), 0, out.nbytes());
}

bool donate(array& out, const array& in) {
  const bool fits = in.flags().row_contiguous && in.itemsize() == out.itemsize() && in.size() == out.size();
  if (fits && in.is_donatable()) share(out, in);
  return out.storage().get() != nullptr;
}

bool allocate_or_donate(array& out, const array& in) {
  if (donate(out, in)) return true;
  allocate(out);
  return false;
}

void share(array& out, const array& in) {
  Node* node = out.node();
  node->storage = in.storage();
  node->offset = in.offset();
}

void share(array& out, const array& in, const Strides& strides, int64_t offset) {
  // Axes of length one do not matter to contiguity, and repeated ones (stride 0) span no memory.
  bool row = true, col = true, forward = true;
  int64_t row_stride = 1, col_stride = 1, span = out.size() ? 1 : 0;
  size_t distinct = 1;
  const Shape& shape = out.shape();
  for (size_t i = shape.size(), j = 0; i-- > 0; ++j) {
    if (shape[i] != 1) {
      row &= strides[i] == row_stride;
      row_stride *= shape[i];
      span += strides[i] < 0 ? -strides[i] * (shape[i] - 1) : strides[i] * (shape[i] - 1);
      forward &= strides[i] >= 0;
      if (strides[i] != 0) distinct *= shape[i];
    }
    if (shape[j] != 1) {
      col &= strides[j] == col_stride;
      col_stride *= shape[j];
    }
  }
  if (out.size() == 0) {
    span = 0;
    row = col = true;
  }
  const bool contiguous = (forward && static_cast<size_t>(span) == distinct) || out.size() == 0;
  out.set_data(in.storage(), static_cast<size_t>(span), strides, {contiguous, row, col},
               in.offset() + offset * static_cast<int64_t>(in.itemsize()));
}

array row_contiguous(const array& in) { return in.flags().row_contiguous ? in : dense_copy(in, in.dtype()); }

array contiguous_rows(const array& in) {
  const bool unit = in.ndim() == 0 || in.shape(-1) == 1 || in.strides(-1) == 1;
  return unit ? in : dense_copy(in, in.dtype());
}

}  // namespace hearth::core
