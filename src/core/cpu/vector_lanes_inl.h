// What kernels for any vector type V share: rows whose length is no multiple of a vector's, maximum and minimum.
#pragma once

#include <cstdint>
#include <type_traits>

namespace hearth::cpu {

// Moves of a whole vector, and of a row's last few elements.
template <class V>
struct WholeVector {
  template <class T>
  V load(const T* p) const {
    return V::load(p);
  }
  template <class T>
  void store(V x, T* p) const {
    x.store(p);
  }
  void store_bools(typename V::Mask mask, bool* p) const { store_mask(mask, p); }
  V only(V x) const { return x; }
};
template <class V>
struct FirstLanes {
  int count;
  template <class T>
  V load(const T* p) const {
    return V::load_first(p, count);
  }
  template <class T>
  void store(V x, T* p) const {
    x.store_first(p, count);
  }
  void store_bools(typename V::Mask mask, bool* p) const {
    bool all[V::kWidth];
    store_mask(mask, all);
    for (int i = 0; i < count; i++) p[i] = all[i];
  }
  V only(V x) const { return first_lanes(x, count); }  // zeros in the lanes beyond the row
};

// Calls f(column, lanes) for every vector of a row.
template <class V, class F>
inline void for_each_vector(int64_t columns, F&& f) {
  int64_t i = 0;
  for (; i + V::kWidth <= columns; i += V::kWidth) f(i, WholeVector<V>{});
  if constexpr (V::kWidth > 1) {
    if (i < columns) f(i, FirstLanes<V>{static_cast<int>(columns - i)});
  }
}

template <class X>
inline X constant(double value) {
  if constexpr (std::is_floating_point_v<X>) {
    return static_cast<X>(value);
  } else {
    return X::all(static_cast<float>(value));
  }
}

// The smaller and the larger; NaN if either is.
template <class X>
inline X minimum(X a, X b) {
  return select(is_nan(a), a, select(less(a, b), a, b));
}
template <class X>
inline X maximum(X a, X b) {
  return select(is_nan(a), a, select(less(b, a), a, b));
}

}  // namespace hearth::cpu
