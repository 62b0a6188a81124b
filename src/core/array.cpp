// Handles and nodes. Nodes come from a free list of the calling thread (a node and its shape, strides and up to three
// inputs are one block of memory), and a graph of any depth is let go of without recursion.
#include "core/array.h"

#include <new>

#include "core/eval.h"
#include "core/ops/index.h"
#include "core/ops/shape.h"
#include "core/primitive.h"

namespace hearth::core {

namespace {

// Blocks for nodes that this thread has let go of. A thread keeps at most kKept of them (about 1 MB).
constexpr size_t kKept = 4096;

struct FreeNode {
  FreeNode* next;
};
thread_local FreeNode* free_nodes = nullptr;
thread_local size_t free_count = 0;
thread_local bool closed = false;  // the thread is ending: keep nothing more

struct FreeListEnd {
  ~FreeListEnd() {
    closed = true;
    while (FreeNode* node = free_nodes) {
      free_nodes = node->next;
      ::operator delete(node, std::align_val_t(alignof(Node)));
    }
  }
};

// Makes the calling thread empty its list when it ends; a thread may let go of nodes without ever making one.
void empty_at_end() {
  static thread_local FreeListEnd end;
  (void)&end;
}

void* node_memory() {
  if (FreeNode* node = free_nodes) {
    free_nodes = node->next;
    --free_count;
    return node;
  }
  return ::operator new(sizeof(Node), std::align_val_t(alignof(Node)));
}

// Axes of length zero do not excuse the others: strides are products of those.
size_t element_count(const Shape& shape) {
  size_t count = 1;
  bool empty = false;
  for (ShapeElem n : shape) {
    empty |= n == 0;
    if (n < 0 || __builtin_mul_overflow(count, static_cast<size_t>(std::max(n, 1)), &count) || count >> 48) {
      throw std::invalid_argument("[array] Shape has a negative dimension or too many elements.");
    }
  }
  return empty ? 0 : count;
}

}  // namespace

Node* Node::make(Shape shape, Dtype dtype) {
  const size_t size = element_count(shape);
  Node* node = new (node_memory()) Node;
  node->dtype = dtype;
  node->size = size;
  node->shape = std::move(shape);
  node->strides.resize(node->shape.size());
  node->lay_out();
  return node;
}

void Node::lay_out() {
  int64_t stride = 1;
  int wide = 0;  // axes longer than one
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
    wide += shape[i] > 1;
  }
  flags = {true, true, wide <= 1};
  data_size = size;
}

void Node::recycle(Node* node) {
  node->~Node();
  if (closed || free_count >= kKept) {
    ::operator delete(node, std::align_val_t(alignof(Node)));
    return;
  }
  if (!free_nodes) empty_at_end();
  free_nodes = new (node) FreeNode{free_nodes};
  ++free_count;
}

void array::release(Node* dead) {
  dead->next_dead = nullptr;
  while (dead) {
    Node* node = dead;
    dead = node->next_dead;
    for (array& input : node->inputs) {
      Node* child = std::exchange(input.node_, nullptr);
      if (child && child->uses.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        child->next_dead = dead;
        dead = child;
      }
    }
    Node::recycle(node);
  }
}

array array::uninitialized(Shape shape, Dtype dtype) {
  array out(Node::make(std::move(shape), dtype));
  out.node_->storage = Storage::allocate(out.nbytes());
  return out;
}

array::array(const std::complex<float>& value, Dtype dtype) : array(uninitialized({}, dtype)) {
  const complex64_t c(value);
  detail::fill_from(&c, *this);
}

array::array(std::initializer_list<float> data) : array(data.begin(), Shape{static_cast<ShapeElem>(data.size())}) {}

array::array(std::initializer_list<int> data, Dtype dtype)
    : array(data.begin(), Shape{static_cast<ShapeElem>(data.size())}, dtype) {}

array::array(void* data, Shape shape, Dtype dtype, const std::function<void(void*)>& deleter)
    : node_(Node::make(std::move(shape), dtype)) {
  node_->storage = Storage::wrap(data, nbytes(), deleter);
}

array::array(StoragePtr storage, Shape shape, Dtype dtype, size_t byte_offset)
    : node_(Node::make(std::move(shape), dtype)) {
  node_->storage = std::move(storage);
  node_->offset = static_cast<int64_t>(byte_offset);
}

array::array(Shape shape, Dtype dtype, std::shared_ptr<Primitive> primitive, Inputs inputs)
    : node_(Node::make(std::move(shape), dtype)) {
  node_->status.store(static_cast<int32_t>(Status::unscheduled), std::memory_order_relaxed);
  node_->stream = static_cast<uint32_t>(primitive->stream().index);
  node_->primitive = std::move(primitive);
  node_->inputs = std::move(inputs);
}

std::vector<array> array::make_arrays(std::vector<Shape> shapes, const std::vector<Dtype>& dtypes,
                                      const std::shared_ptr<Primitive>& primitive, const std::vector<array>& inputs) {
  array group(Shape{}, bool_, primitive, Inputs(inputs));
  group.node_->group_outputs = std::make_unique<std::vector<array>>();
  std::vector<array> outputs;
  for (size_t i = 0; i < shapes.size(); ++i) {
    group.node_->group_outputs->push_back(array(Node::make(shapes[i], dtypes[i])));
    array out(Node::make(std::move(shapes[i]), dtypes[i]));
    out.node_->status.store(static_cast<int32_t>(Status::unscheduled), std::memory_order_relaxed);
    out.node_->stream = group.node_->stream;
    out.node_->position = static_cast<uint16_t>(i);
    out.node_->from_group = true;
    out.node_->inputs.push_back(group);
    outputs.push_back(std::move(out));
  }
  return outputs;
}

bool array::has_primitive() const { return primitive_ptr() != nullptr; }

const std::shared_ptr<Primitive>& array::primitive_ptr() const {
  return node_->from_group ? node_->inputs[0].node_->primitive : node_->primitive;
}

Primitive& array::primitive() const { return *primitive_ptr(); }

std::span<const array> array::inputs() const {
  const Inputs& in = node_->from_group ? node_->inputs[0].node_->inputs : node_->inputs;
  return {in.data(), in.size()};
}

void array::detach() {
  node_->primitive.reset();
  node_->inputs.clear();
  node_->from_group = false;
}

bool array::is_donatable() const {
  return node_->uses.load(std::memory_order_acquire) == 1 && node_->storage && node_->storage->is_owned() &&
         node_->storage->use_count() == 1;
}

void array::set_data(StoragePtr storage) {
  node_->storage = std::move(storage);
  node_->offset = 0;
}

void array::set_data(StoragePtr storage, size_t data_size, Strides strides, Flags flags, int64_t offset_bytes) {
  node_->storage = std::move(storage);
  node_->data_size = data_size;
  node_->strides = std::move(strides);
  node_->flags = flags;
  node_->offset = offset_bytes;
}

void array::eval() {
  if (!is_available()) core::eval(std::vector<array>{*this});
}

array::ArrayIterator::ArrayIterator(const array& of, int index) : of_(of), index_(index) {
  if (of.ndim() == 0) throw std::invalid_argument("Cannot iterate over 0-d array.");
}

const array array::ArrayIterator::operator*() const {
  Shape start(of_.ndim(), 0), stop = of_.shape();
  start[0] = index_;
  stop[0] = index_ + 1;
  return squeeze(slice(of_, std::move(start), std::move(stop)), 0);
}

}  // namespace hearth::core
