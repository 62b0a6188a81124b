// An N-dimensional array: a counted handle to a node of a lazily evaluated graph. Copying copies the handle.
//
// Shapes:  any rank; a dimension is int32. Row-major unless strides say otherwise; strides and offsets count elements.
// Threads: handles may be copied, read and dropped anywhere; an unevaluated graph belongs to one thread at a time.
// Source:  mlx/array.h, whose names these are.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <ostream>
#include <span>
#include <vector>

#include "core/dtype.h"
#include "core/small_vector.h"
#include "core/storage.h"

namespace hearth::core {

class Primitive;
struct Node;

class array {
 public:
  // A scalar.
  template <Element T>
  explicit array(T value, Dtype dtype = TypeToDtype<T>());
  explicit array(const std::complex<float>& value, Dtype dtype = complex64);
  // Copies shape's worth of values from an iterator.
  template <std::input_iterator It>
  explicit array(It data, Shape shape, Dtype dtype = TypeToDtype<std::iter_value_t<It>>());
  // One-dimensional; array({}) is an empty float32 array, array({}, t) an empty one of type t.
  template <typename T>
  explicit array(std::initializer_list<T> data, Dtype dtype = TypeToDtype<T>());
  explicit array(std::initializer_list<float> data);
  explicit array(std::initializer_list<int> data, Dtype dtype);
  // Throws std::invalid_argument when the number of values is not the shape's.
  template <typename T>
  explicit array(std::initializer_list<T> data, Shape shape, Dtype dtype = TypeToDtype<T>());
  // Somebody else's memory, read where it lies, never written. `deleter(data)` runs when the last array lets go of it.
  explicit array(void* data, Shape shape, Dtype dtype, const std::function<void(void*)>& deleter);
  // A block of memory holding shape's worth of elements from byte `byte_offset` on (a multiple of the element size).
  explicit array(StoragePtr storage, Shape shape, Dtype dtype, size_t byte_offset = 0);

  array(const array& other);
  array(array&& other) noexcept;
  array& operator=(const array& other) &;
  array& operator=(array&& other) & noexcept;
  array& operator=(const array& other) && = delete;
  array& operator=(array&& other) && = delete;
  ~array();

  size_t itemsize() const { return size_of(dtype()); }
  size_t size() const;
  size_t nbytes() const { return size() * itemsize(); }
  size_t ndim() const { return shape().size(); }
  const Shape& shape() const;
  // Negative dimensions count from the end. Throws std::out_of_range.
  ShapeElem shape(int dim) const { return shape().at(dim < 0 ? dim + static_cast<int>(ndim()) : dim); }
  // Meaningful once evaluated.
  const Strides& strides() const;
  int64_t strides(int dim) const { return strides().at(dim < 0 ? dim + static_cast<int>(ndim()) : dim); }
  Dtype dtype() const;

  void eval();
  bool is_available() const;  // readable without waiting
  void wait();                // for work started by async_eval() or on another stream; throws what it threw

  // The value of an array of one element, converted to T; evaluates. Throws std::invalid_argument for other sizes.
  template <typename T>
  T item() const;

  // The first element; evaluates. Elements lie strides() apart. Outside eval_cpu, do not write.
  template <typename T>
  T* data() {
    return static_cast<T*>(raw_data());
  }
  template <typename T>
  const T* data() const {
    return static_cast<const T*>(raw_data());
  }

  // Iterates over the first axis.
  class ArrayIterator;
  ArrayIterator begin() const;
  ArrayIterator end() const;

  // The graph. Everything below is for operations and transformations, not for users of arrays.

  // A node that `primitive` will compute from `inputs`.
  array(Shape shape, Dtype dtype, std::shared_ptr<Primitive> primitive, SmallVector<array, 3> inputs);
  // The outputs of a primitive that has several.
  static std::vector<array> make_arrays(std::vector<Shape> shapes, const std::vector<Dtype>& dtypes,
                                        const std::shared_ptr<Primitive>& primitive, const std::vector<array>& inputs);

  std::uintptr_t id() const { return reinterpret_cast<std::uintptr_t>(node_); }
  bool has_primitive() const;
  Primitive& primitive() const;
  const std::shared_ptr<Primitive>& primitive_ptr() const;
  std::span<const array> inputs() const;
  int sibling_position() const;  // among the outputs of its primitive
  void detach();                 // forgets primitive and inputs

  struct Flags {
    bool contiguous : 1;      // no gaps in the memory between first and last element
    bool row_contiguous : 1;  // elements lie in row-major order, one after another
    bool col_contiguous : 1;
  };
  const Flags& flags() const;
  size_t data_size() const;  // elements of memory the array spans
  int64_t offset() const;    // bytes from the start of the block
  const StoragePtr& storage() const;
  // Whether an operation may overwrite this input: no other handle and no other array sees its memory.
  bool is_donatable() const;
  void set_data(StoragePtr storage);
  void set_data(StoragePtr storage, size_t data_size, Strides strides, Flags flags, int64_t offset_bytes = 0);

  Node* node() const { return node_; }
  explicit array(Node* counted) : node_(counted) {}

 private:
  void* raw_data() const;
  static array uninitialized(Shape shape, Dtype dtype);
  static void release(Node* node);

  Node* node_;
};

using Inputs = SmallVector<array, 3>;

template <typename T>
inline constexpr bool is_array_v = std::is_same_v<std::remove_cvref_t<T>, array>;
template <typename... T>
inline constexpr bool is_arrays_v = (is_array_v<T> && ...);

// "array([1, 2, 3], dtype=int32)", long axes shortened, as MLX prints.
std::ostream& operator<<(std::ostream& os, array a);

}  // namespace hearth::core

#include "core/array_inl.h"
