// Running totals: one accumulator for each of the `inner` columns, walked along `length`. 16-bit floats accumulate in
// float and are rounded when written.
#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/reduce.h"
#include "core/cpu/scalar_types.h"

namespace hearth::cpu {
namespace {

// The type to accumulate in: unsigned for integer sums, which wrap.
template <class T>
struct Accumulator {
  using Type = T;
};
template <>
struct Accumulator<Float16> {
  using Type = float;
};
template <>
struct Accumulator<Bfloat16> {
  using Type = float;
};

template <class T>
auto load(T x) {
  return x;
}
inline float load(Float16 x) { return to_float(x); }
inline float load(Bfloat16 x) { return to_float(x); }

template <class T, class A>
T store(A x) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>) {
    return from_float<T>(x);
  } else {
    return static_cast<T>(x);
  }
}

template <class A>
bool less(A a, A b) {
  if constexpr (std::is_same_v<A, Complex64>) {
    return complex_less(a, b);
  } else {
    return a < b;
  }
}

template <class A>
A wrapped(uint64_t bits) {
  return static_cast<A>(bits);
}

template <class A>
struct Join {
  ScanOp op;

  A neutral() const {
    switch (op) {
      case ScanOp::kSum: return A(0);
      case ScanOp::kProduct: return A(1);
      case ScanOp::kMin: return highest();
      default: return lowest();
    }
  }

  A operator()(A a, A b) const {
    switch (op) {
      case ScanOp::kSum:
        if constexpr (std::is_integral_v<A>)
          return wrapped<A>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
        else
          return a + b;
      case ScanOp::kProduct:
        if constexpr (std::is_integral_v<A>)
          return wrapped<A>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
        else
          return a * b;
      case ScanOp::kMax: return a != a || less(b, a) ? a : b;
      case ScanOp::kMin: return a != a || less(a, b) ? a : b;
    }
    return a;
  }

 private:
  static A lowest() {
    if constexpr (std::is_integral_v<A>)
      return std::numeric_limits<A>::lowest();
    else
      return A(-std::numeric_limits<float>::infinity());
  }
  static A highest() {
    if constexpr (std::is_integral_v<A>)
      return std::numeric_limits<A>::max();
    else
      return A(std::numeric_limits<float>::infinity());
  }
};

template <class T>
void scan_one(const ScanArgs& args, int64_t outer) {
  using A = typename Accumulator<T>::Type;
  const Join<A> join{args.op};
  const T* x = static_cast<const T*>(args.x) + outer * args.length * args.inner;
  T* out = static_cast<T*>(args.out) + outer * args.length * args.inner;
  // Columns in blocks, so that the totals stay in registers and L1.
  constexpr int64_t kBlock = 64;
  for (int64_t first = 0; first < args.inner; first += kBlock) {
    const int64_t columns = std::min(kBlock, args.inner - first);
    A totals[kBlock];
    std::fill_n(totals, columns, join.neutral());
    for (int64_t step = 0; step < args.length; step++) {
      const int64_t row = (args.reverse ? args.length - 1 - step : step) * args.inner + first;
      for (int64_t c = 0; c < columns; c++) {
        const A before = totals[c];
        const A value = load(x[row + c]);
        totals[c] = step == 0 ? value : join(before, value);
        out[row + c] = store<T>(args.inclusive ? totals[c] : before);
      }
    }
  }
}

template <class T>
void scan_all(const ScanArgs& args) {
  const size_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, args.length * args.inner));
  parallel_for(args.outer, grain, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) scan_one<T>(args, i);
  });
}

}  // namespace

void scan(const ScanArgs& args) {
  switch (args.type) {
    case Dtype::kBool: return scan_all<bool>(args);
    case Dtype::kUint8: return scan_all<uint8_t>(args);
    case Dtype::kUint16: return scan_all<uint16_t>(args);
    case Dtype::kUint32: return scan_all<uint32_t>(args);
    case Dtype::kUint64: return scan_all<uint64_t>(args);
    case Dtype::kInt8: return scan_all<int8_t>(args);
    case Dtype::kInt16: return scan_all<int16_t>(args);
    case Dtype::kInt32: return scan_all<int32_t>(args);
    case Dtype::kInt64: return scan_all<int64_t>(args);
    case Dtype::kFloat16: return scan_all<Float16>(args);
    case Dtype::kFloat32: return scan_all<float>(args);
    case Dtype::kFloat64: return scan_all<double>(args);
    case Dtype::kBfloat16: return scan_all<Bfloat16>(args);
    case Dtype::kComplex64: return scan_all<Complex64>(args);
  }
}

}  // namespace hearth::cpu
