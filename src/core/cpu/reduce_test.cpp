#include "core/cpu/reduce.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/cpu/kernels.h"
#include "core/cpu/test_values.h"

namespace hearth::cpu {
namespace {

constexpr Dtype kTypes[] = {Dtype::kUint8,   Dtype::kUint16,  Dtype::kUint32,  Dtype::kUint64,
                            Dtype::kInt8,    Dtype::kInt16,   Dtype::kInt32,   Dtype::kInt64,
                            Dtype::kFloat16, Dtype::kFloat32, Dtype::kFloat64, Dtype::kBfloat16};

class Reduce : public testing::TestWithParam<Isa> {
 protected:
  const Kernels& k = kernels_for(GetParam());

  TestValues rows(ReduceOp op, Dtype type, Dtype out_type, TestValues& x, int count, int length) const {
    TestValues out(out_type, count + 1);
    const int32_t shape[] = {count, length};
    k.reduce({op, type, out_type, {x.data()}, out.data(), shape, 2, 1});
    return out;
  }
};

TEST_P(Reduce, SumsAndExtremaAreRightAtEveryLength) {
  for (Dtype type : kTypes) {
    for (int length : {0, 1, 2, 15, 16, 17, 31, 33, 100, 511, 512, 513, 1040, 5000}) {
      TestValues x(type, 3 * length, length % 3);
      std::mt19937 random(length);
      for (size_t i = 0; i < x.size(); i++) x.set(i, random() % 5 + (i % 97 == 50));
      const Dtype wide = is_short_float(type) || type == Dtype::kFloat64 ? Dtype::kFloat64 : Dtype::kInt64;
      const TestValues sum = rows(ReduceOp::kSum, type, wide, x, 3, length);
      const TestValues max = rows(ReduceOp::kMax, type, type, x, 3, length);
      const TestValues min = rows(ReduceOp::kMin, type, type, x, 3, length);
      for (int row = 0; row < 3; row++) {
        double total = 0, largest = -INFINITY, smallest = INFINITY;
        for (int i = 0; i < length; i++) {
          const double value = x[row * length + i];
          total += value, largest = std::max(largest, value), smallest = std::min(smallest, value);
        }
        ASSERT_EQ(sum[row], total) << "type " << int(type) << " length " << length;
        if (length == 0) continue;
        ASSERT_EQ(max[row], largest);
        ASSERT_EQ(min[row], smallest);
      }
    }
  }
}

TEST_P(Reduce, ProductsAndNegativeSums) {
  for (Dtype type : kTypes) {
    TestValues x(type, 40);
    for (int i = 0; i < 40; i++) x.set(i, i % 10 == 0 ? 2 : 1);
    EXPECT_EQ(rows(ReduceOp::kProduct, type, type, x, 1, 40)[0], 16);
    if (type < Dtype::kInt8) continue;
    for (int i = 0; i < 40; i++) x.set(i, -i);
    EXPECT_EQ(rows(ReduceOp::kSum, type, Dtype::kFloat32, x, 1, 40)[0], -780);
    EXPECT_EQ(rows(ReduceOp::kMax, type, type, x, 1, 40)[0], 0);
  }
}

TEST_P(Reduce, SumStaysNearDoublePrecision) {
  for (Dtype type : kShortFloats) {
    TestValues x = random_values(type, 50000, 9);
    double right = 0, size = 0;
    for (int i = 0; i < 50000; i++) right += x[i], size += std::abs(x[i]);
    EXPECT_NEAR(rows(ReduceOp::kSum, type, Dtype::kFloat32, x, 1, 50000)[0], right, size * 50000 / 16 * 0x1p-25);
  }
}

TEST_P(Reduce, StridesAndNeighboursLeaveTheBits) {
  // The same rows: dense, as columns of a transposed array, and reduced over two axes.
  for (Dtype type : kShortFloats) {
    TestValues x = random_values(type, 6 * 1200, 4), turned(type, x.size());
    for (int row = 0; row < 6; row++) {
      for (int i = 0; i < 1200; i++) turned.set(i * 6 + row, x[row * 1200 + i]);
    }
    const TestValues dense = rows(ReduceOp::kSum, type, Dtype::kFloat32, x, 6, 1200);
    TestValues columns(Dtype::kFloat32, 6), two_axes(Dtype::kFloat32, 6);
    const int32_t shape[] = {6, 1200}, three[] = {6, 30, 40};
    const int64_t strides[] = {1, 6}, three_strides[] = {1, 240, 6};
    k.reduce({ReduceOp::kSum, type, Dtype::kFloat32, {turned.data(), strides}, columns.data(), shape, 2, 1});
    k.reduce({ReduceOp::kSum, type, Dtype::kFloat32, {turned.data(), three_strides}, two_axes.data(), three, 3, 2});
    for (int row = 0; row < 6; row++) {
      TestValues one(type, 1200);
      std::memcpy(one.data(), x.at(row * 1200), 1200 * size_of(type));
      const TestValues alone = rows(ReduceOp::kSum, type, Dtype::kFloat32, one, 1, 1200);
      ASSERT_EQ(dense[row], alone[0]);
      ASSERT_EQ(dense[row], columns[row]);
      ASSERT_EQ(dense[row], two_axes[row]);
    }
  }
}

TEST_P(Reduce, MaximumSeesNan) {
  TestValues x = random_values(Dtype::kFloat32, 2000, 4);
  x.set(777, NAN);
  EXPECT_TRUE(std::isnan(rows(ReduceOp::kMax, Dtype::kFloat32, Dtype::kFloat32, x, 1, 2000)[0]));
  EXPECT_TRUE(std::isnan(rows(ReduceOp::kMin, Dtype::kFloat32, Dtype::kFloat32, x, 1, 2000)[0]));
}

TEST_P(Reduce, AllAndAny) {
  for (Dtype type : kTypes) {
    for (int at : {0, 3, 599}) {
      TestValues x(type, 600), y(type, 600);
      for (int i = 0; i < 600; i++) x.set(i, i == at), y.set(i, i != at);
      EXPECT_EQ(rows(ReduceOp::kAny, type, Dtype::kBool, x, 1, 600)[0], 1);
      EXPECT_EQ(rows(ReduceOp::kAll, type, Dtype::kBool, y, 1, 600)[0], 0);
      x.set(at, 0), y.set(at, 1);
      EXPECT_EQ(rows(ReduceOp::kAny, type, Dtype::kBool, x, 1, 600)[0], 0);
      EXPECT_EQ(rows(ReduceOp::kAll, type, Dtype::kBool, y, 1, 600)[0], 1);
    }
  }
}

TEST_P(Reduce, ArgMaxTakesTheLowestIndexOfEquals) {
  for (Dtype type : kTypes) {
    for (int length : {1, 5, 16, 40, 512, 600, 3000}) {
      TestValues x(type, 2 * length);
      std::mt19937 random(length);
      for (size_t i = 0; i < x.size(); i++) x.set(i, random() % 50);
      uint32_t largest[2], smallest[2];
      const int32_t shape[] = {2, length};
      k.arg_reduce({ArgReduceOp::kArgMax, type, {x.data()}, largest, shape, 2});
      k.arg_reduce({ArgReduceOp::kArgMin, type, {x.data()}, smallest, shape, 2});
      for (int row = 0; row < 2; row++) {
        int max = 0, min = 0;
        for (int i = 0; i < length; i++) {
          if (x[row * length + i] > x[row * length + max]) max = i;
          if (x[row * length + i] < x[row * length + min]) min = i;
        }
        ASSERT_EQ(largest[row], uint32_t(max)) << "type " << int(type) << " length " << length;
        ASSERT_EQ(smallest[row], uint32_t(min));
      }
    }
  }
}

TEST_P(Reduce, ArgMaxOfInfinitiesAndNan) {
  TestValues x(Dtype::kFloat32, 600);
  for (int i = 0; i < 600; i++) x.set(i, -INFINITY);
  const int32_t n = 600;
  uint32_t at = 7;
  k.arg_reduce({ArgReduceOp::kArgMax, Dtype::kFloat32, {x.data()}, &at, &n, 1});
  EXPECT_EQ(at, 0u);
  x.set(550, -5), x.set(590, NAN), x.set(595, NAN);
  k.arg_reduce({ArgReduceOp::kArgMax, Dtype::kFloat32, {x.data()}, &at, &n, 1});
  EXPECT_EQ(at, 590u);
}

TEST_P(Reduce, SoftmaxAndLogSumExpMatchDoublePrecision) {
  for (Dtype type : {Dtype::kFloat16, Dtype::kFloat32, Dtype::kFloat64, Dtype::kBfloat16}) {
    for (int columns : {1, 2, 15, 16, 17, 33, 511, 512, 513, 3000}) {
      TestValues x = random_values(type, 2 * columns, columns, columns % 2);
      for (size_t i = 0; i < x.size(); i++)
        x.set(i, x[i] * 5 + double(i % columns) / 100);  // the maximum keeps growing
      TestValues out(type, x.size() + 1), sum(type, 3);
      k.softmax({type, x.data(), out.data(), 2, columns, columns, columns});
      k.log_sum_exp({type, x.data(), sum.data(), 2, columns, columns});
      for (int row = 0; row < 2; row++) {
        double largest = -INFINITY, total = 0;
        for (int i = 0; i < columns; i++) largest = std::max(largest, x[row * columns + i]);
        for (int i = 0; i < columns; i++) total += std::exp(x[row * columns + i] - largest);
        const double error = rounding(type) + (type == Dtype::kFloat64 ? 1e-13 : 100 * 0x1p-24);
        ASSERT_NEAR(sum[row], std::log(total) + largest, (std::abs(largest) + 10) * error);
        for (int i = 0; i < columns; i++) {
          const double right = std::exp(x[row * columns + i] - largest) / total;
          ASSERT_NEAR(out[row * columns + i], right, right * error + (type == Dtype::kFloat16 ? 0x1p-25 : 0));
        }
      }
      EXPECT_TRUE(std::isnan(out[x.size()]) && std::isnan(sum[2])) << "wrote past the end";
    }
  }
}

TEST_P(Reduce, SoftmaxRowsDoNotSeeEachOther) {
  TestValues x = random_values(Dtype::kFloat16, 30 * 700, 3), whole(Dtype::kFloat16, x.size());
  k.softmax({Dtype::kFloat16, x.data(), whole.data(), 30, 700, 700, 700});
  for (int row = 0; row < 30; row++) k.softmax({Dtype::kFloat16, x.at(row * 700), x.at(row * 700), 1, 700, 700, 700});
  EXPECT_EQ(x.bytes(), whole.bytes());
}

TEST_P(Reduce, LogSumExpOfNothingAndOfInfinities) {
  TestValues x(Dtype::kFloat32, 20), out(Dtype::kFloat32, 1);
  for (int i = 0; i < 20; i++) x.set(i, -INFINITY);
  k.log_sum_exp({Dtype::kFloat32, x.data(), out.data(), 1, 20, 20});
  EXPECT_EQ(out[0], -INFINITY);
  x.set(3, 2);
  k.log_sum_exp({Dtype::kFloat32, x.data(), out.data(), 1, 20, 20});
  EXPECT_FLOAT_EQ(out[0], 2);
  x.set(3, INFINITY);
  k.log_sum_exp({Dtype::kFloat32, x.data(), out.data(), 1, 20, 20});
  EXPECT_EQ(out[0], INFINITY);
}

TEST(Scan, RunsForwardBackwardInclusiveAndExclusive) {
  for (Dtype type : kTypes) {
    const int outer = 2, length = 9, inner = 3;
    TestValues x(type, outer * length * inner), out(type, x.size());
    for (size_t i = 0; i < x.size(); i++) x.set(i, i % 4 + 1);
    for (bool reverse : {false, true}) {
      for (bool inclusive : {false, true}) {
        for (ScanOp op : {ScanOp::kSum, ScanOp::kMax, ScanOp::kMin}) {
          scan({op, type, x.data(), out.data(), outer, length, inner, reverse, inclusive});
          for (int o = 0; o < outer; o++) {
            for (int c = 0; c < inner; c++) {
              double total = 0;
              for (int step = 0; step < length; step++) {
                const size_t i = (o * length + (reverse ? length - 1 - step : step)) * inner + c;
                const double before = total;
                total = step == 0            ? x[i]
                        : op == ScanOp::kSum ? total + x[i]
                        : op == ScanOp::kMax ? std::max(total, x[i])
                                             : std::min(total, x[i]);
                if (inclusive || step > 0) {
                  ASSERT_EQ(out[i], inclusive ? total : before) << int(type) << " " << step;
                } else if (op == ScanOp::kSum) {
                  ASSERT_EQ(out[i], 0);
                }
              }
            }
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Reduce, testing::ValuesIn(available_isas().begin(), available_isas().end()),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

}  // namespace
}  // namespace hearth::cpu
