// The float operations, one line each, for X: a vector type (included by the ISA files inside their target region), or
// F32x1 or double (included by elementwise_scalar.cpp).
//
// The functions of x come from vector_math_inl.h, for double from scalar_math.h under the same names; per_lane()
// applies a standard function to each lane. An element's bits are the same in every float vector: whole ones, a row's
// last, shorter one, and F32x1.
#pragma once

namespace hearth::cpu {

template <class X>
inline X log_add_exp(X a, X b) {
  const X high = maximum(a, b), low = minimum(a, b), inf = constant<X>(__builtin_inf());
  const X sum = high + log1p(exp(low - high));
  return select(equal(low, -inf), high, select(equal(high, inf), high, sum));
}

template <class X>
inline X sign(X x) {
  const X zero = constant<X>(0), one = constant<X>(1);
  return select(less(x, zero), -one, select(less(zero, x), one, zero));
}

template <class X>
inline auto is_true(X x) {
  return not_equal(x, constant<X>(0));
}

// Tiles: F is a stateless function of one X or two.
template <class X, class F>
constexpr UnaryTile map(F) {
  return [](const void* x, void* out, size_t n) {
    if constexpr (std::is_floating_point_v<X>) {
      for (size_t i = 0; i < n; i++) static_cast<X*>(out)[i] = F{}(static_cast<const X*>(x)[i]);
    } else {
      for_each_vector<X>(n, [&](int64_t i, auto lanes) {
        lanes.store(F{}(lanes.load(static_cast<const float*>(x) + i)), static_cast<float*>(out) + i);
      });
    }
  };
}

template <class X, class F>
constexpr BinaryTile map_two(F) {
  return [](const void* a, const void* b, void* out, size_t n) {
    if constexpr (std::is_floating_point_v<X>) {
      for (size_t i = 0; i < n; i++) {
        static_cast<X*>(out)[i] = F{}(static_cast<const X*>(a)[i], static_cast<const X*>(b)[i]);
      }
    } else {
      for_each_vector<X>(n, [&](int64_t i, auto lanes) {
        const X left = lanes.load(static_cast<const float*>(a) + i),
                right = lanes.load(static_cast<const float*>(b) + i);
        lanes.store(F{}(left, right), static_cast<float*>(out) + i);
      });
    }
  };
}

template <class X, class F>
constexpr UnaryTile test(F) {
  return [](const void* x, void* out, size_t n) {
    if constexpr (std::is_floating_point_v<X>) {
      for (size_t i = 0; i < n; i++) static_cast<bool*>(out)[i] = F{}(static_cast<const X*>(x)[i]);
    } else {
      for_each_vector<X>(n, [&](int64_t i, auto lanes) {
        lanes.store_bools(F{}(lanes.load(static_cast<const float*>(x) + i)), static_cast<bool*>(out) + i);
      });
    }
  };
}

template <class X, class F>
constexpr BinaryTile compare(F) {
  return [](const void* a, const void* b, void* out, size_t n) {
    if constexpr (std::is_floating_point_v<X>) {
      for (size_t i = 0; i < n; i++) {
        static_cast<bool*>(out)[i] = F{}(static_cast<const X*>(a)[i], static_cast<const X*>(b)[i]);
      }
    } else {
      for_each_vector<X>(n, [&](int64_t i, auto lanes) {
        const X left = lanes.load(static_cast<const float*>(a) + i),
                right = lanes.load(static_cast<const float*>(b) + i);
        lanes.store_bools(F{}(left, right), static_cast<bool*>(out) + i);
      });
    }
  };
}

template <class X>
constexpr void add_unary_operations(TileTable& t) {
  using enum UnaryOp;
  t[kAbs] = map<X>([](X x) { return abs(x); });
  t[kArcCos] = map<X>([](X x) { return per_lane(x, [](auto v) { return std::acos(v); }); });
  t[kArcCosh] = map<X>([](X x) { return per_lane(x, [](auto v) { return std::acosh(v); }); });
  t[kArcSin] = map<X>([](X x) { return per_lane(x, [](auto v) { return std::asin(v); }); });
  t[kArcSinh] = map<X>([](X x) { return per_lane(x, [](auto v) { return std::asinh(v); }); });
  t[kArcTan] = map<X>([](X x) { return per_lane(x, [](auto v) { return std::atan(v); }); });
  t[kArcTanh] = map<X>([](X x) { return per_lane(x, [](auto v) { return std::atanh(v); }); });
  t[kCeil] = map<X>([](X x) { return ceil(x); });
  t[kConjugate] = map<X>([](X x) { return x; });
  t[kCos] = map<X>([](X x) { return cos(x); });
  t[kCosh] = map<X>([](X x) { return per_lane(x, [](auto v) { return std::cosh(v); }); });
  t[kErf] = map<X>([](X x) { return erf(x); });
  t[kErfInv] = map<X>([](X x) { return per_lane(x, [](auto v) { return static_cast<decltype(v)>(erf_inverse(v)); }); });
  t[kExp] = map<X>([](X x) { return exp(x); });
  t[kExpm1] = map<X>([](X x) { return expm1(x); });
  t[kFloor] = map<X>([](X x) { return floor(x); });
  t[kIsFinite] = test<X>([](X x) { return less(abs(x), constant<X>(__builtin_inf())); });
  t[kIsInf] = test<X>([](X x) { return equal(abs(x), constant<X>(__builtin_inf())); });
  t[kIsNan] = test<X>([](X x) { return is_nan(x); });
  t[kLog] = map<X>([](X x) { return log(x); });
  t[kLog10] = map<X>([](X x) { return log10(x); });
  t[kLog1p] = map<X>([](X x) { return log1p(x); });
  t[kLog2] = map<X>([](X x) { return log2(x); });
  t[kLogicalNot] = test<X>([](X x) { return equal(x, constant<X>(0)); });
  t[kNegative] = map<X>([](X x) { return -x; });
  t[kReal] = map<X>([](X x) { return x; });
  t[kImag] = map<X>([](X) { return constant<X>(0); });
  t[kRound] = map<X>([](X x) { return round(x); });
  t[kRsqrt] = map<X>([](X x) { return constant<X>(1) / sqrt(x); });
  t[kSigmoid] = map<X>([](X x) { return sigmoid(x); });
  t[kSign] = map<X>([](X x) { return sign(x); });
  t[kSin] = map<X>([](X x) { return sin(x); });
  t[kSinh] = map<X>([](X x) { return per_lane(x, [](auto v) { return std::sinh(v); }); });
  t[kSqrt] = map<X>([](X x) { return sqrt(x); });
  t[kSquare] = map<X>([](X x) { return x * x; });
  t[kTan] = map<X>([](X x) { return per_lane(x, [](auto v) { return std::tan(v); }); });
  t[kTanh] = map<X>([](X x) { return tanh(x); });
  t[kTrunc] = map<X>([](X x) { return trunc(x); });
}

template <class X>
constexpr void add_binary_operations(TileTable& t) {
  using enum BinaryOp;
  t[kAdd] = map_two<X>([](X a, X b) { return a + b; });
  t[kArcTan2] = map_two<X>([](X a, X b) { return per_lane(a, b, [](auto y, auto x) { return std::atan2(y, x); }); });
  t[kDivide] = map_two<X>([](X a, X b) { return a / b; });
  t[kEqual] = compare<X>([](X a, X b) { return equal(a, b); });
  t[kFloorDivide] = map_two<X>([](X a, X b) { return floor(a / b); });
  t[kGreater] = compare<X>([](X a, X b) { return less(b, a); });
  t[kGreaterEqual] = compare<X>([](X a, X b) { return less_equal(b, a); });
  t[kLess] = compare<X>([](X a, X b) { return less(a, b); });
  t[kLessEqual] = compare<X>([](X a, X b) { return less_equal(a, b); });
  t[kLogAddExp] = map_two<X>([](X a, X b) { return log_add_exp(a, b); });
  t[kLogicalAnd] = compare<X>([](X a, X b) { return both(is_true(a), is_true(b)); });
  t[kLogicalOr] = compare<X>([](X a, X b) { return either(is_true(a), is_true(b)); });
  t[kMaximum] = map_two<X>([](X a, X b) { return maximum(a, b); });
  t[kMinimum] = map_two<X>([](X a, X b) { return minimum(a, b); });
  t[kMultiply] = map_two<X>([](X a, X b) { return a * b; });
  t[kNanEqual] = compare<X>([](X a, X b) { return either(equal(a, b), both(is_nan(a), is_nan(b))); });
  t[kNotEqual] = compare<X>([](X a, X b) { return not_equal(a, b); });
  t[kPower] = map_two<X>([](X a, X b) { return per_lane(a, b, [](auto x, auto y) { return std::pow(x, y); }); });
  t[kRemainder] =
      map_two<X>([](X a, X b) { return per_lane(a, b, [](auto x, auto y) { return floored_remainder(x, y); }); });
  t[kSubtract] = map_two<X>([](X a, X b) { return a - b; });
  t[kSwiglu] = map_two<X>([](X a, X b) { return silu(a) * b; });
}

template <class X>
constexpr TileTable operations_of() {
  TileTable table;
  add_unary_operations<X>(table);
  add_binary_operations<X>(table);
  return table;
}

// The 16-bit conversions of a vector type.
template <class V, class Half>
inline void widen(const void* x, void* out, size_t n) {
  for_each_vector<V>(n, [&](int64_t i, auto lanes) {
    lanes.store(lanes.load(static_cast<const Half*>(x) + i), static_cast<float*>(out) + i);
  });
}
template <class V, class Half>
inline void narrow(const void* x, void* out, size_t n) {
  for_each_vector<V>(n, [&](int64_t i, auto lanes) {
    lanes.store(lanes.load(static_cast<const float*>(x) + i), static_cast<Half*>(out) + i);
  });
}

template <class V>
constexpr FloatTiles float_tiles() {
  return {operations_of<V>(), widen<V, Float16>, widen<V, Bfloat16>, narrow<V, Float16>, narrow<V, Bfloat16>};
}

}  // namespace hearth::cpu
