#include "core/cpu/elementwise.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>

#include "core/cpu/kernels.h"
#include "core/cpu/test_values.h"

namespace hearth::cpu {
namespace {

constexpr Dtype kTypes[] = {Dtype::kBool,    Dtype::kUint8,   Dtype::kUint16,  Dtype::kUint32, Dtype::kUint64,
                            Dtype::kInt8,    Dtype::kInt16,   Dtype::kInt32,   Dtype::kInt64,  Dtype::kFloat16,
                            Dtype::kFloat32, Dtype::kFloat64, Dtype::kBfloat16};

class Elementwise : public testing::TestWithParam<Isa> {
 protected:
  const Kernels& k = kernels_for(GetParam());

  TestValues unary(UnaryOp op, Dtype type, TestValues& x) const {
    TestValues out(result_type(op, type), x.size() + 1);
    const int32_t n = x.size();
    k.unary({op, type, {x.data()}, out.data(), &n, 1});
    return out;
  }
  TestValues binary(BinaryOp op, Dtype type, TestValues& a, TestValues& b) const {
    TestValues out(result_type(op, type), a.size() + 1);
    const int32_t n = a.size();
    k.binary({op, type, {a.data()}, {b.data()}, out.data(), &n, 1});
    return out;
  }
};

struct Function {
  UnaryOp op;
  std::function<double(double)> right;
  double ulps;  // of float32, beyond the final rounding
  float low, high;
};

const Function kFunctions[] = {
    {UnaryOp::kAbs, [](double x) { return std::abs(x); }, 0, -1e30f, 1e30f},
    {UnaryOp::kArcCos, [](double x) { return std::acos(x); }, 2, -1, 1},
    {UnaryOp::kArcCosh, [](double x) { return std::acosh(x); }, 3, 1, 1e10f},
    {UnaryOp::kArcSin, [](double x) { return std::asin(x); }, 2, -1, 1},
    {UnaryOp::kArcSinh, [](double x) { return std::asinh(x); }, 3, -1e10f, 1e10f},
    {UnaryOp::kArcTan, [](double x) { return std::atan(x); }, 2, -1e10f, 1e10f},
    {UnaryOp::kArcTanh, [](double x) { return std::atanh(x); }, 3, -1, 1},
    {UnaryOp::kCeil, [](double x) { return std::ceil(x); }, 0, -1e9f, 1e9f},
    {UnaryOp::kCos, [](double x) { return std::cos(x); }, 2, -1e8f, 1e8f},
    {UnaryOp::kCosh, [](double x) { return std::cosh(x); }, 3, -80, 80},
    {UnaryOp::kErf, [](double x) { return std::erf(x); }, 2, -5, 5},
    {UnaryOp::kExp, [](double x) { return std::exp(x); }, 2, -103, 88.5f},
    {UnaryOp::kExpm1, [](double x) { return std::expm1(x); }, 2, -20, 88},
    {UnaryOp::kFloor, [](double x) { return std::floor(x); }, 0, -1e9f, 1e9f},
    {UnaryOp::kLog, [](double x) { return std::log(x); }, 2, 0, 3e38f},
    {UnaryOp::kLog10, [](double x) { return std::log10(x); }, 2, 0, 3e38f},
    {UnaryOp::kLog1p, [](double x) { return std::log1p(x); }, 2, -1, 1e30f},
    {UnaryOp::kLog2, [](double x) { return std::log2(x); }, 2, 0, 3e38f},
    {UnaryOp::kNegative, [](double x) { return -x; }, 0, -1e30f, 1e30f},
    {UnaryOp::kRound, [](double x) { return std::nearbyint(x); }, 0, -1e5f, 1e5f},
    {UnaryOp::kRsqrt, [](double x) { return 1 / std::sqrt(x); }, 2, 0, 1e30f},
    {UnaryOp::kSigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 3, -80, 80},
    {UnaryOp::kSign, [](double x) { return (x > 0) - (x < 0); }, 0, -10, 10},
    {UnaryOp::kSin, [](double x) { return std::sin(x); }, 2, -1e8f, 1e8f},
    {UnaryOp::kSinh, [](double x) { return std::sinh(x); }, 3, -80, 80},
    {UnaryOp::kSqrt, [](double x) { return std::sqrt(x); }, 1, 0, 3e38f},
    {UnaryOp::kSquare, [](double x) { return x * x; }, 1, -1e15f, 1e15f},
    {UnaryOp::kTan, [](double x) { return std::tan(x); }, 3, -1e3f, 1e3f},
    {UnaryOp::kTanh, [](double x) { return std::tanh(x); }, 2, -20, 20},
    {UnaryOp::kTrunc, [](double x) { return std::trunc(x); }, 0, -1e9f, 1e9f},
};

// Floats spread evenly over their bits between low and high, so that every magnitude is met.
std::vector<float> spread(float low, float high, int count) {
  std::vector<float> values;
  std::mt19937 random(7);
  while (static_cast<int>(values.size()) < count) {
    const float x = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (x >= low && x <= high) values.push_back(x);
    values.push_back(low + (high - low) * (random() >> 8) * 0x1p-24f);
  }
  for (float edge : {low, high, 0.0f, 1.0f, 0.5f, 0x1p-20f}) {
    if (edge >= low && edge <= high) values.push_back(edge);
  }
  return values;
}

TEST_P(Elementwise, FunctionsStayWithinTheirUlps) {
  for (const Function& f : kFunctions) {
    const std::vector<float> inputs = spread(f.low, f.high, 20000);
    TestValues x(Dtype::kFloat32, inputs.size());
    for (size_t i = 0; i < inputs.size(); i++) x.set(i, inputs[i]);
    const TestValues out = unary(f.op, Dtype::kFloat32, x);
    for (size_t i = 0; i < inputs.size(); i++) {
      const double right = f.right(inputs[i]), got = out[i];
      const float rounded = static_cast<float>(right);
      if (got == right || got == rounded || (std::isnan(got) && std::isnan(right))) continue;
      const double ulp = std::max<double>(std::nextafter(std::abs(rounded), INFINITY) - std::abs(rounded), 0x1p-149);
      const bool turning = f.op == UnaryOp::kSin || f.op == UnaryOp::kCos;  // absolute near the zeros
      ASSERT_LE(std::abs(got - right), (f.ulps + 0.5) * (turning ? std::max(ulp, 0x1p-25) : ulp))
          << "op " << int(f.op) << " of " << inputs[i] << " gave " << got << ", right is " << right;
    }
    EXPECT_TRUE(std::isnan(out[inputs.size()])) << "wrote past the end";
  }
}

TEST_P(Elementwise, FunctionsKnowInfinityAndNan) {
  struct Edge {
    UnaryOp op;
    float x, right;
  };
  const float inf = INFINITY, nan = NAN;
  const Edge edges[] = {
      {UnaryOp::kExp, inf, inf},    {UnaryOp::kExp, -inf, 0},          {UnaryOp::kExp, nan, nan},
      {UnaryOp::kExp, 100, inf},    {UnaryOp::kExp, -200, 0},          {UnaryOp::kLog, inf, inf},
      {UnaryOp::kLog, 0, -inf},     {UnaryOp::kLog, -0.0f, -inf},      {UnaryOp::kLog, -1, nan},
      {UnaryOp::kLog, nan, nan},    {UnaryOp::kLog2, 0x1p-149f, -149}, {UnaryOp::kLog2, 8, 3},
      {UnaryOp::kLog1p, -1, -inf},  {UnaryOp::kLog1p, -2, nan},        {UnaryOp::kLog1p, inf, inf},
      {UnaryOp::kExpm1, -inf, -1},  {UnaryOp::kExpm1, inf, inf},       {UnaryOp::kTanh, inf, 1},
      {UnaryOp::kTanh, -inf, -1},   {UnaryOp::kTanh, nan, nan},        {UnaryOp::kErf, inf, 1},
      {UnaryOp::kErf, -inf, -1},    {UnaryOp::kErf, nan, nan},         {UnaryOp::kSigmoid, inf, 1},
      {UnaryOp::kSigmoid, -inf, 0}, {UnaryOp::kSin, inf, nan},         {UnaryOp::kCos, -inf, nan},
      {UnaryOp::kSin, nan, nan},    {UnaryOp::kErfInv, 1, inf},        {UnaryOp::kErfInv, -1, -inf},
      {UnaryOp::kErfInv, 2, nan},   {UnaryOp::kSign, -0.0f, 0},
  };
  for (const Edge& e : edges) {
    TestValues x(Dtype::kFloat32, 1);
    x.set(0, e.x);
    const double got = unary(e.op, Dtype::kFloat32, x)[0];
    EXPECT_TRUE(got == e.right || (std::isnan(got) && std::isnan(e.right)))
        << int(e.op) << " of " << e.x << ": " << got;
  }
}

TEST_P(Elementwise, ErfInvUndoesErf) {
  TestValues x(Dtype::kFloat32, 1000);
  for (int i = 0; i < 1000; i++) x.set(i, (i - 500) / 501.0);
  const TestValues y = unary(UnaryOp::kErfInv, Dtype::kFloat32, x);
  for (int i = 0; i < 1000; i++) EXPECT_NEAR(std::erf(y[i]), x[i], 1e-7);
}

TEST_P(Elementwise, RoundsSixteenBitTypesOnce) {
  for (Dtype type : {Dtype::kFloat16, Dtype::kBfloat16}) {
    TestValues a = random_values(type, 3000, 1, 1), b = random_values(type, 3000, 2), wide(Dtype::kFloat32, 3000);
    for (int i = 0; i < 3000; i++) wide.set(i, a[i]);
    const TestValues sum = binary(BinaryOp::kAdd, type, a, b), product = binary(BinaryOp::kMultiply, type, a, b);
    const TestValues e = unary(UnaryOp::kExp, type, a), e_wide = unary(UnaryOp::kExp, Dtype::kFloat32, wide);
    for (int i = 0; i < 3000; i++) {
      ASSERT_EQ(sum[i], round_to(type, a[i] + b[i]));
      ASSERT_EQ(product[i], round_to(type, a[i] * b[i]));
      ASSERT_EQ(e[i], round_to(type, e_wide[i]));
    }
  }
}

TEST_P(Elementwise, GivesAnElementTheSameBitsWhereverItLies) {
  for (int op = 0; op < static_cast<int>(UnaryOp::kCount); op++) {
    for (Dtype type : kShortFloats) {
      if (!supports(UnaryOp(op), type)) continue;
      TestValues x = random_values(type, 50, 3);
      const TestValues whole = unary(UnaryOp(op), type, x);
      for (int i = 0; i < 50; i++) {
        TestValues one(type, 1);
        std::memcpy(one.data(), x.at(i), size_of(type));
        const TestValues alone = unary(UnaryOp(op), type, one);
        ASSERT_EQ(std::memcmp(alone.at(0), whole.at(i), size_of(result_type(UnaryOp(op), type))), 0) << op;
      }
    }
  }
}

TEST_P(Elementwise, BinaryOperationsOnIntegersFollowMlx) {
  for (Dtype type : kTypes) {
    if (type == Dtype::kBool || is_short_float(type) || type == Dtype::kFloat64) continue;
    const bool is_signed = type >= Dtype::kInt8;
    TestValues a(type, 600), b(type, 600);
    for (int i = 0; i < 600; i++) a.set(i, is_signed ? i % 37 - 18 : i % 37), b.set(i, is_signed ? i % 11 - 5 : i % 11);
    const TestValues quotient = binary(BinaryOp::kFloorDivide, type, a, b),
                     rest = binary(BinaryOp::kRemainder, type, a, b);
    const TestValues power = binary(BinaryOp::kPower, type, a, b), larger = binary(BinaryOp::kMaximum, type, a, b);
    const TestValues shifted = binary(BinaryOp::kLeftShift, type, a, b), less = binary(BinaryOp::kLess, type, a, b);
    for (int i = 0; i < 600; i++) {
      const double x = a[i], y = b[i];
      ASSERT_EQ(quotient[i], y == 0 ? 0 : std::floor(x / y));
      ASSERT_EQ(rest[i], y == 0 ? x : x - y * std::floor(x / y));
      ASSERT_EQ(larger[i], std::max(x, y));
      ASSERT_EQ(less[i], x < y);
      if (y < 0) continue;
      if (std::abs(std::pow(x, y)) < 100) {
        ASSERT_EQ(power[i], std::pow(x, y)) << x << " ^ " << y;
      }
      if (x >= 0 && x * std::exp2(y) < 100) {
        ASSERT_EQ(shifted[i], x * std::exp2(y));
      }
    }
  }
}

TEST_P(Elementwise, BinaryOperationsOnFloatsFollowTheirDefinition) {
  struct Op {
    BinaryOp op;
    std::function<double(double, double)> right;
  };
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const Op ops[] = {
      {BinaryOp::kSubtract, [](double a, double b) { return a - b; }},
      {BinaryOp::kDivide, [](double a, double b) { return a / b; }},
      {BinaryOp::kArcTan2, [](double a, double b) { return std::atan2(a, b); }},
      {BinaryOp::kFloorDivide, [](double a, double b) { return std::floor(float(a) / float(b)); }},
      {BinaryOp::kRemainder, [](double a, double b) { return a - b * std::floor(a / b); }},
      {BinaryOp::kLogAddExp, [](double a, double b) { return std::log(std::exp(a) + std::exp(b)); }},
      {BinaryOp::kMinimum, [](double a, double b) { return std::min(a, b); }},
      {BinaryOp::kSwiglu, [=](double a, double b) { return a * sigmoid(a) * b; }},
      {BinaryOp::kGreaterEqual, [](double a, double b) { return a >= b; }},
      {BinaryOp::kLogicalAnd, [](double a, double b) { return a != 0 && b != 0; }},
      {BinaryOp::kNotEqual, [](double a, double b) { return a != b; }},
  };
  for (Dtype type : {Dtype::kFloat16, Dtype::kFloat32, Dtype::kFloat64, Dtype::kBfloat16}) {
    TestValues a = random_values(type, 1000, 1), b = random_values(type, 1000, 2, 1);
    for (int i = 0; i < 1000; i += 10) b.set(i, a[i]), a.set(i + 1, 0);
    for (const Op& op : ops) {
      const TestValues out = binary(op.op, type, a, b);
      for (int i = 0; i < 1000; i++) {
        const double right = op.right(a[i], b[i]), size = std::abs(a[i]) + std::abs(b[i]);
        const double tolerance =
            std::abs(right) * rounding(type) + 8 * std::min(rounding(type), 0x1p-24) * (size + std::abs(right));
        ASSERT_NEAR(out[i], right, tolerance) << int(op.op) << " of " << a[i] << ", " << b[i];
      }
    }
  }
}

TEST_P(Elementwise, MaximumMinimumAndLogicKnowNan) {
  TestValues a(Dtype::kFloat32, 3), b(Dtype::kFloat32, 3);
  const float left[] = {NAN, 1, NAN}, right[] = {1, NAN, NAN};
  for (int i = 0; i < 3; i++) a.set(i, left[i]), b.set(i, right[i]);
  const TestValues larger = binary(BinaryOp::kMaximum, Dtype::kFloat32, a, b);
  const TestValues smaller = binary(BinaryOp::kMinimum, Dtype::kFloat32, a, b);
  const TestValues same = binary(BinaryOp::kNanEqual, Dtype::kFloat32, a, b);
  const TestValues both = binary(BinaryOp::kLogicalAnd, Dtype::kFloat32, a, b);
  for (int i = 0; i < 3; i++) {
    EXPECT_TRUE(std::isnan(larger[i]));
    EXPECT_TRUE(std::isnan(smaller[i]));
    EXPECT_EQ(same[i], i == 2);
    EXPECT_EQ(both[i], 1);
  }
}

TEST_P(Elementwise, WalksStridesAndBroadcasts) {
  const int32_t shape[] = {3, 5, 7, 40};
  const int64_t a_strides[] = {1, 3, 0, 15}, b_strides[] = {0, 40, 0, 1};
  for (Dtype type : kTypes) {
    if (type == Dtype::kBool) continue;
    TestValues a(type, 3 * 5 * 40), b(type, 5 * 40), out(type, 3 * 5 * 7 * 40 + 1);
    for (size_t i = 0; i < a.size(); i++) a.set(i, i % 50);
    for (size_t i = 0; i < b.size(); i++) b.set(i, i % 60);
    k.binary({BinaryOp::kAdd, type, {a.data(), a_strides}, {b.data(), b_strides}, out.data(), shape, 4});
    size_t i = 0;
    for (int p = 0; p < 3; p++) {
      for (int q = 0; q < 5; q++) {
        for (int r = 0; r < 7; r++) {
          for (int s = 0; s < 40; s++, i++) ASSERT_EQ(out[i], a[p + 3 * q + 15 * s] + b[40 * q + s]);
        }
      }
    }
  }
}

TEST_P(Elementwise, SelectsAndFillsAndCounts) {
  const int32_t shape[] = {20, 30};
  const int64_t by_row[] = {1, 0}, constant[] = {0, 0};
  for (Dtype type : kTypes) {
    TestValues condition(Dtype::kBool, 20), a(type, 600), b(type, 1), out(type, 600);
    for (int i = 0; i < 20; i++) condition.set(i, i % 3 == 0);
    for (int i = 0; i < 600; i++) a.set(i, i % 2);
    b.set(0, 1);
    select({type, {condition.data(), by_row}, {a.data()}, {b.data(), constant}, out.data(), shape, 2});
    for (int i = 0; i < 600; i++) ASSERT_EQ(out[i], i / 30 % 3 == 0 ? i % 2 : 1);
    if (type == Dtype::kBool) continue;
    arange({type, 3, 2, out.data(), 50});
    for (int i = 0; i < 50; i++) ASSERT_EQ(out[i], 3 + 2 * i);
  }
}

TEST_P(Elementwise, ConvertsBetweenAllTypes) {
  for (Dtype from : kTypes) {
    for (Dtype to : kTypes) {
      const int32_t n = 1100;
      TestValues x(from, n, 1), out(to, n + 1);
      for (int i = 0; i < n; i++) x.set(i, i % 120);
      k.copy({from, to, {x.data()}, out.data(), nullptr, &n, 1});
      for (int i = 0; i < n; i++)
        ASSERT_EQ(out[i], round_to(to, x[i])) << int(from) << " to " << int(to) << " at " << i;
    }
  }
}

TEST_P(Elementwise, CopiesStridedToStrided) {
  const int32_t shape[] = {4, 6, 24};
  const int64_t from_strides[] = {24, 96, 1}, to_strides[] = {6 * 50, 50, 2}, rows[] = {6 * 50, 50, 1};
  for (Dtype type : kTypes) {
    for (const int64_t* out_strides : {to_strides, rows}) {
      TestValues x(type, 4 * 6 * 24), out(type, 4 * 6 * 50);
      for (size_t i = 0; i < x.size(); i++) x.set(i, i % 100);
      const std::vector<uint8_t> poison = out.bytes();
      k.copy({type, type, {x.data(), from_strides}, out.data(), out_strides, shape, 3});
      for (int a = 0; a < 4; a++) {
        for (int b = 0; b < 6; b++) {
          for (int c = 0; c < 24; c++) {
            ASSERT_EQ(out[a * 300 + b * 50 + c * out_strides[2]], x[a * 24 + b * 96 + c]);
          }
          EXPECT_EQ(std::memcmp(out.at(a * 300 + b * 50 + 49), poison.data(), size_of(type)), 0);
        }
      }
    }
  }
}

TEST_P(Elementwise, CopiesNanBitsUnchanged) {
  for (Dtype type : {Dtype::kFloat16, Dtype::kBfloat16}) {
    TestValues x(type, 600), out(type, 600);
    for (int i = 0; i < 600; i++)
      *static_cast<uint16_t*>(x.at(i)) = static_cast<uint16_t>(0x7c01 + i % 50 + 0x300 * (i % 2));
    const int32_t shape[] = {20, 30};
    const int64_t turned[] = {1, 20};
    k.copy({type, type, {x.data(), turned}, out.data(), turned, shape, 2});
    EXPECT_EQ(x.bytes(), out.bytes());
  }
}

TEST_P(Elementwise, WorksAtEveryLengthAndInPlace) {
  for (Dtype type : kShortFloats) {
    for (int n = 0; n <= 70; n++) {
      TestValues a = random_values(type, n, n, n % 5), b = random_values(type, n, n + 100),
                 apart = binary(BinaryOp::kSwiglu, type, a, b);
      EXPECT_TRUE(std::isnan(apart[n])) << "wrote past the end";
      const int32_t length = n;
      k.binary({BinaryOp::kSwiglu, type, {a.data()}, {b.data()}, a.data(), &length, 1});
      for (int i = 0; i < n; i++) ASSERT_EQ(a[i], apart[i]);
    }
  }
}

TEST(ElementwiseComplex, OperationsFollowStandardComplex) {
  const Complex64 x[] = {{1, 2}, {-3, 0.5f}, {0, 0}, {0, -1}};
  const int32_t n = 4;
  Complex64 out[4];
  float size[4];
  unary_scalar({UnaryOp::kExp, Dtype::kComplex64, {x}, out, &n, 1});
  unary_scalar({UnaryOp::kAbs, Dtype::kComplex64, {x}, size, &n, 1});
  for (int i = 0; i < 4; i++) {
    EXPECT_EQ(out[i], std::exp(x[i]));
    EXPECT_EQ(size[i], std::abs(x[i]));
  }
  binary_scalar({BinaryOp::kMultiply, Dtype::kComplex64, {x}, {x}, out, &n, 1});
  EXPECT_EQ(out[0], Complex64(-3, 4));
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Elementwise, testing::ValuesIn(available_isas().begin(), available_isas().end()),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

}  // namespace
}  // namespace hearth::cpu
