// What an array points to. Private to core: everybody else goes through array.
//
// A primitive with several outputs has a node of its own, the group: it holds primitive and inputs, and, once
// evaluated, the outputs' memory until each output node has taken its part. So no output refers to its siblings and
// counts suffice.
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <utility>

#include "core/array.h"

namespace hearth::core {

enum class Status : int32_t {
  unscheduled,  // a recipe
  scheduled,    // in somebody's tape
  available,    // memory is filled
  failed,       // `error` says why; whoever waited for it has yet to hear
};

struct Node {
  std::atomic<uint32_t> uses{1};
  std::atomic<int32_t> status{static_cast<int32_t>(Status::available)};
  Dtype dtype = float32;
  array::Flags flags{true, true, true};
  uint16_t position = 0;    // of this output within its group
  bool from_group = false;  // inputs[0] is the group
  uint32_t stream = 0;      // index of the stream it runs on
  Shape shape;
  Strides strides;
  size_t size = 1, data_size = 1;
  int64_t offset = 0;  // bytes
  StoragePtr storage;
  std::shared_ptr<Primitive> primitive;
  Inputs inputs;
  std::unique_ptr<std::vector<array>> group_outputs;
  std::exception_ptr error;   // of the latest failure
  Node* next_dead = nullptr;  // while a graph is let go of

  Status state() const { return static_cast<Status>(status.load(std::memory_order_acquire)); }

  // Row-major strides and flags, as an array has them that nothing has been computed for.
  void lay_out();

  // From and to a free list of the calling thread.
  static Node* make(Shape shape, Dtype dtype);
  static void recycle(Node* node);
};

inline size_t array::size() const { return node_->size; }
inline const Shape& array::shape() const { return node_->shape; }
inline const Strides& array::strides() const { return node_->strides; }
inline Dtype array::dtype() const { return node_->dtype; }
inline const array::Flags& array::flags() const { return node_->flags; }
inline size_t array::data_size() const { return node_->data_size; }
inline int64_t array::offset() const { return node_->offset; }
inline const StoragePtr& array::storage() const { return node_->storage; }
inline int array::sibling_position() const { return node_->position; }

inline array::array(const array& other) : node_(other.node_) { node_->uses.fetch_add(1, std::memory_order_relaxed); }
inline array::array(array&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
inline array::~array() {
  if (node_ && node_->uses.fetch_sub(1, std::memory_order_acq_rel) == 1) release(node_);
}
inline array& array::operator=(const array& other) & {
  array copy(other);
  std::swap(node_, copy.node_);
  return *this;
}
inline array& array::operator=(array&& other) & noexcept {
  std::swap(node_, other.node_);
  return *this;
}

}  // namespace hearth::core
