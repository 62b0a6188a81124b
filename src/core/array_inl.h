// Private to array.h: bodies of its templates and accessors.
#pragma once

#include <stdexcept>

#include "core/dispatch.h"
#include "core/node.h"

namespace hearth::core {

namespace detail {

template <typename It>
void fill_from(It source, array& out) {
  dispatch_all(out.dtype(), [&]<typename T>(type_tag<T>) {
    T* to = static_cast<T*>(out.storage()->data());
    It from = source;
    for (size_t i = 0, n = out.size(); i < n; ++i, ++from) to[i] = static_cast<T>(*from);
  });
}

}  // namespace detail

template <Element T>
array::array(T value, Dtype dtype) : array(uninitialized({}, dtype)) {
  detail::fill_from(&value, *this);
}

template <std::input_iterator It>
array::array(It data, Shape shape, Dtype dtype) : array(uninitialized(std::move(shape), dtype)) {
  detail::fill_from(data, *this);
}

template <typename T>
array::array(std::initializer_list<T> data, Dtype dtype)
    : array(data.begin(), Shape{static_cast<ShapeElem>(data.size())}, dtype) {}

template <typename T>
array::array(std::initializer_list<T> data, Shape shape, Dtype dtype) : array(uninitialized(std::move(shape), dtype)) {
  if (data.size() != size()) {
    throw std::invalid_argument("Data size and provided shape mismatch in array construction.");
  }
  detail::fill_from(data.begin(), *this);
}

template <typename T>
T array::item() const {
  if (size() != 1) throw std::invalid_argument("item can only be called on arrays of size 1.");
  const void* p = raw_data();
  T value{};
  dispatch_all(dtype(), [&]<typename S>(type_tag<S>) { value = static_cast<T>(*static_cast<const S*>(p)); });
  return value;
}

class array::ArrayIterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using difference_type = std::ptrdiff_t;
  using value_type = const array;
  using reference = value_type;
  using pointer = const array*;

  explicit ArrayIterator(const array& of, int index = 0);
  reference operator*() const;
  ArrayIterator& operator+(difference_type n) {
    index_ += static_cast<int>(n);
    return *this;
  }
  ArrayIterator& operator++() { return *this + 1; }
  friend bool operator==(const ArrayIterator& a, const ArrayIterator& b) {
    return a.of_.id() == b.of_.id() && a.index_ == b.index_;
  }

 private:
  array of_;
  int index_;
};

inline array::ArrayIterator array::begin() const { return ArrayIterator(*this); }
inline array::ArrayIterator array::end() const { return ArrayIterator(*this, shape(0)); }

}  // namespace hearth::core
