#include "core/copy.h"

#include "core/cpu/kernels.h"
#include "core/primitive.h"

namespace hearth::core {

array dense_copy(const array& in, Dtype dtype) {
  array out(Storage::allocate(in.size() * size_of(dtype)), in.shape(), dtype);
  copy_into(in, out.data<void>(), dtype, out.strides());
  return out;
}

void copy_into(const array& in, void* out, Dtype out_dtype, const Strides& out_strides) {
  copy_into(in, in.strides(), in.shape(), out, out_dtype, out_strides);
}

void copy_into(const array& in, const Strides& in_strides, const Shape& shape, void* out, Dtype out_dtype,
               const Strides& out_strides) {
  for (ShapeElem n : shape) {
    if (n == 0) return;
  }
  cpu::kernels().copy({.from = static_cast<cpu::Dtype>(in.dtype().val()),
                       .to = static_cast<cpu::Dtype>(out_dtype.val()),
                       .x = {in.data<void>(), in_strides.data()},
                       .out = out,
                       .out_strides = out_strides.data(),
                       .shape = shape.data(),
                       .rank = static_cast<int>(shape.size())});
}

}  // namespace hearth::core
