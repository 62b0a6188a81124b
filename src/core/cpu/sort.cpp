// Elements become keys that compare as MLX orders them (NaN last), then the standard library does the work. Floats'
// keys are unsigned integers of the same order, so that comparing is one instruction.
#include "core/cpu/sort.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/scalar_types.h"

namespace hearth::cpu {
namespace {

// Unsigned integers in the order of the floats; all NaN are equal and last, -0 equals 0.
template <class Bits>
Bits ordered(Bits bits, Bits infinity) {
  constexpr Bits kSign = Bits(1) << (8 * sizeof(Bits) - 1);
  if ((bits & ~kSign) > infinity) return static_cast<Bits>(~Bits(0));
  if (bits == kSign) bits = 0;
  return static_cast<Bits>(bits & kSign ? ~bits : bits | kSign);
}

template <class T>
T key(T x) {
  return x;
}
inline uint32_t key(float x) { return ordered(std::bit_cast<uint32_t>(x), 0x7f800000u); }
inline uint64_t key(double x) { return ordered(std::bit_cast<uint64_t>(x), uint64_t{0x7ff0000000000000}); }
inline uint16_t key(Float16 x) { return ordered(x.bits, uint16_t{0x7c00}); }
inline uint16_t key(Bfloat16 x) { return ordered(x.bits, uint16_t{0x7f80}); }
inline uint64_t key(Complex64 x) { return uint64_t{key(x.real())} << 32 | key(x.imag()); }

struct ByKey {
  template <class T>
  bool operator()(const T& a, const T& b) const {
    return key(a) < key(b);
  }
};

template <class T>
using Key = decltype(key(T{}));

template <class K>
struct Indexed {
  K key;
  uint32_t index;
  bool operator<(const Indexed& other) const { return key != other.key ? key < other.key : index < other.index; }
};

template <class F>
void for_each_row(const SortArgs& args, F&& f) {
  const size_t grain = std::max<int64_t>(1, 1024 / std::max<int64_t>(1, args.columns));
  parallel_for(args.rows, grain, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) f(row * args.columns);
  });
}

template <class T, class F>
void rearrange(const SortArgs& args, F&& f) {
  for_each_row(args, [&](size_t start) {
    const T* x = static_cast<const T*>(args.x) + start;
    T* out = static_cast<T*>(args.out) + start;
    if (out != x) std::copy_n(x, args.columns, out);
    f(out, out + args.columns);
  });
}

template <class T, class F>
void rearrange_indices(const SortArgs& args, F&& f) {
  for_each_row(args, [&](size_t start) {
    const T* x = static_cast<const T*>(args.x) + start;
    std::vector<Indexed<Key<T>>> entries(args.columns);
    for (uint32_t i = 0; i < entries.size(); i++) entries[i] = {key(x[i]), i};
    f(entries.begin(), entries.end());
    uint32_t* out = static_cast<uint32_t*>(args.out) + start;
    for (size_t i = 0; i < entries.size(); i++) out[i] = entries[i].index;
  });
}

}  // namespace

void sort(const SortArgs& args) {
  with_type(args.type, [&](auto zero) {
    rearrange<decltype(zero)>(args, [](auto* begin, auto* end) { std::sort(begin, end, ByKey{}); });
  });
}

void argsort(const SortArgs& args) {
  with_type(args.type, [&](auto zero) {
    rearrange_indices<decltype(zero)>(args, [](auto begin, auto end) { std::sort(begin, end); });
  });
}

void partition(const SortArgs& args, int64_t kth) {
  with_type(args.type, [&](auto zero) {
    rearrange<decltype(zero)>(args,
                              [&](auto* begin, auto* end) { std::nth_element(begin, begin + kth, end, ByKey{}); });
  });
}

void argpartition(const SortArgs& args, int64_t kth) {
  with_type(args.type, [&](auto zero) {
    rearrange_indices<decltype(zero)>(args, [&](auto begin, auto end) { std::nth_element(begin, begin + kth, end); });
  });
}

}  // namespace hearth::cpu
