// A vector whose first N elements need no allocation. Shapes, strides and a node's inputs are these.
//
// Source: the subset of std::vector's interface that MLX programs use on shapes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <ostream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace hearth::core {

template <typename T, uint32_t N>
class SmallVector {
 public:
  using value_type = T;
  using reference = T&;
  using const_reference = const T&;
  using iterator = T*;
  using const_iterator = const T*;
  using size_type = size_t;
  using difference_type = std::ptrdiff_t;

  SmallVector() {}
  explicit SmallVector(size_t count) { resize(count); }
  SmallVector(size_t count, const T& value) { resize(count, value); }
  SmallVector(std::initializer_list<T> values) { append(values.begin(), values.end()); }
  template <std::input_iterator It>
  SmallVector(It first, It last) {
    append(first, last);
  }
  SmallVector(std::vector<T> values) {  // NOLINT: implicit, because MLX passes vectors where we hold these
    append(std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
  }
  SmallVector(const SmallVector& other) { append(other.begin(), other.end()); }
  SmallVector(SmallVector&& other) noexcept { take(other); }
  SmallVector& operator=(const SmallVector& other) {
    if (this != &other) {
      clear();
      append(other.begin(), other.end());
    }
    return *this;
  }
  SmallVector& operator=(SmallVector&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ~SmallVector() { release(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t capacity() const { return capacity_; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  auto rbegin() { return std::reverse_iterator(end()); }
  auto rend() { return std::reverse_iterator(begin()); }
  auto rbegin() const { return std::reverse_iterator(end()); }
  auto rend() const { return std::reverse_iterator(begin()); }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& front() { return data_[0]; }
  const T& front() const { return data_[0]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }
  // Throws std::out_of_range.
  T& at(size_t i) { return data_[checked(i)]; }
  const T& at(size_t i) const { return data_[checked(i)]; }

  void reserve(size_t count) {
    if (count > capacity_) grow(count);
  }
  void clear() {
    std::destroy(begin(), end());
    size_ = 0;
  }
  void resize(size_t count) { resize(count, T()); }
  void resize(size_t count, T value) {  // a copy: it may be one of ours
    reserve(count);
    if (count < size_) std::destroy(data_ + count, end());
    if (count > size_) std::uninitialized_fill(end(), data_ + count, value);
    size_ = static_cast<uint32_t>(count);
  }
  void push_back(T value) { emplace_back(std::move(value)); }
  template <typename... Args>
  T& emplace_back(Args&&... args) {
    if (size_ < capacity_) return *new (data_ + size_++) T(std::forward<Args>(args)...);
    T made(std::forward<Args>(args)...);  // before the old elements go: they may be meant
    grow(size_t{capacity_} + std::max(capacity_, N));
    return *new (data_ + size_++) T(std::move(made));
  }
  void pop_back() { data_[--size_].~T(); }
  iterator insert(const_iterator position, T value) {
    const size_t i = position - data_;
    emplace_back(std::move(value));
    std::rotate(data_ + i, end() - 1, end());
    return data_ + i;
  }
  template <std::input_iterator It>
  iterator insert(const_iterator position, It first, It last) {
    const size_t i = position - data_, before = size_;
    append(first, last);
    std::rotate(data_ + i, data_ + before, end());
    return data_ + i;
  }
  iterator erase(const_iterator position) { return erase(position, position + 1); }
  iterator erase(const_iterator first, const_iterator last) {
    T* to = data_ + (first - data_);
    T* tail = std::move(data_ + (last - data_), end(), to);
    std::destroy(tail, end());
    size_ = static_cast<uint32_t>(tail - data_);
    return to;
  }

  friend bool operator==(const SmallVector& a, const SmallVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
  friend std::ostream& operator<<(std::ostream& os, const SmallVector& v) {
    os << "(";
    for (size_t i = 0; i < v.size(); ++i) os << (i ? "," : "") << v[i];
    return os << ")";
  }

 private:
  T* inline_data() { return reinterpret_cast<T*>(inline_); }
  size_t checked(size_t i) const {
    if (i >= size_) throw std::out_of_range("SmallVector: index out of range");
    return i;
  }
  template <typename It>
  void append(It first, It last) {
    for (; first != last; ++first) emplace_back(*first);
  }
  void grow(size_t count) {
    T* bigger = std::allocator<T>().allocate(count);
    const uint32_t size = size_;
    for (uint32_t i = 0; i < size; ++i) new (bigger + i) T(std::move(data_[i]));
    release();
    data_ = bigger;
    size_ = size;
    capacity_ = static_cast<uint32_t>(count);
  }
  void release() {
    std::destroy(begin(), end());
    if (data_ != inline_data()) std::allocator<T>().deallocate(data_, capacity_);
    data_ = inline_data();
    size_ = 0;
    capacity_ = N;
  }
  void take(SmallVector& other) {
    if (other.data_ != other.inline_data()) {
      data_ = std::exchange(other.data_, other.inline_data());
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, N);
    } else {
      std::uninitialized_move(other.begin(), other.end(), data_);
      size_ = other.size_;
      other.clear();
    }
  }

  T* data_ = inline_data();
  uint32_t size_ = 0, capacity_ = N;
  alignas(T) std::byte inline_[N * sizeof(T)];
};

using ShapeElem = int32_t;
using Shape = SmallVector<ShapeElem, 5>;
using Strides = SmallVector<int64_t, 5>;

}  // namespace hearth::core
