// What an operation is to the graph: a node's recipe. One class per operation, inside core and outside it (ops/,
// cache/).
//
// A new one derives from Primitive, and its op function checks shapes and returns array(shape, dtype, primitive,
// inputs). In eval_cpu inputs are evaluated, with any strides; outputs have shape and dtype and no memory yet:
//
//   void Swish::eval_cpu(Arrays inputs, MutableArrays outputs) {
//     allocate_or_donate(outputs[0], inputs[0]);  // first: any further handle to an input forbids donation
//     array x = row_contiguous(inputs[0]);
//     swish(x.data<float>(), outputs[0].data<float>(), x.size());
//   }
//
// Threads: eval_cpu runs on one thread at a time per graph; it may fork through base/thread_pool.h.
#pragma once

#include <span>
#include <tuple>
#include <vector>

#include "core/array.h"
#include "core/stream.h"

namespace hearth::core {

using Arrays = std::span<const array>;
using MutableArrays = std::span<array>;

class Primitive {
 public:
  explicit Primitive(Stream stream) : stream_(stream) {}
  virtual ~Primitive() = default;
  Primitive(const Primitive&) = delete;
  Primitive& operator=(const Primitive&) = delete;

  const Stream& stream() const { return stream_; }
  const Device& device() const { return stream_.device; }

  // Gives every output memory (below) and fills it. May throw; the graph can then be evaluated again.
  virtual void eval_cpu(Arrays inputs, MutableArrays outputs) = 0;

  virtual const char* name() const = 0;

  // Whether `other`, on the same inputs, gives the same outputs.
  virtual bool is_equivalent(const Primitive& other) const = 0;

  // The outputs' shapes for inputs of other shapes than those the node was built with.
  virtual std::vector<Shape> output_shapes(Arrays inputs) const = 0;

 private:
  Stream stream_;
};

// A primitive that is told apart by its class and by state(), a tuple of comparable parameters:
//   auto state() const { return std::tie(axis_, reverse_); }
template <typename Self>
class ComparablePrimitive : public Primitive {
 public:
  using Primitive::Primitive;
  bool is_equivalent(const Primitive& other) const override {
    const auto* same = dynamic_cast<const Self*>(&other);
    return same && same->state() == static_cast<const Self&>(*this).state();
  }
};

// For eval_cpu: ways to give an output its memory.

// A fresh row-contiguous buffer.
void allocate(array& out);

// The input's own buffer when nobody else can see it (array::is_donatable()), it is row-contiguous, and the element
// sizes and counts agree: the operation then works in place. Returns whether it was donated; if not, out has no memory
// yet.
bool donate(array& out, const array& in);
// The same, with a fresh buffer if it was not.
bool allocate_or_donate(array& out, const array& in);

// The input's buffer seen through other strides (in elements), `offset` elements further on. Nothing is copied.
void share(array& out, const array& in, const Strides& strides, int64_t offset = 0);

// The input's buffer, row-contiguous in and out, under the output's own shape (as reshape and astype of equal type do).
void share(array& out, const array& in);

// For eval_cpu: ways to read an input.

// The array itself when it is row-contiguous, else a copy that is.
array row_contiguous(const array& in);

// The array itself when its rows (last axis) have unit stride, else a row-contiguous copy.
array contiguous_rows(const array& in);

// Row-contiguous strides of a shape, in elements.
Strides row_strides(const Shape& shape);

}  // namespace hearth::core
