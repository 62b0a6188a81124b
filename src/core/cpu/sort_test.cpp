#include "core/cpu/sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/cpu/test_values.h"

namespace hearth::cpu {
namespace {

constexpr Dtype kTypes[] = {Dtype::kBool,    Dtype::kUint8,   Dtype::kUint16,  Dtype::kUint32, Dtype::kUint64,
                            Dtype::kInt8,    Dtype::kInt16,   Dtype::kInt32,   Dtype::kInt64,  Dtype::kFloat16,
                            Dtype::kFloat32, Dtype::kFloat64, Dtype::kBfloat16};

// Values with many equal ones, of both signs where the type has them.
TestValues some_values(Dtype type, int count) {
  TestValues x(type, count);
  std::mt19937 random(count);
  for (int i = 0; i < count; i++) x.set(i, int(random() % 60) - (type >= Dtype::kInt8 ? 30 : 0));
  return x;
}

std::vector<uint32_t> right_order(const TestValues& x, int start, int columns) {
  std::vector<uint32_t> order(columns);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return x[start + a] < x[start + b]; });
  return order;
}

TEST(Sort, SortsAndOrdersRowsOfEveryType) {
  for (Dtype type : kTypes) {
    for (int columns : {1, 2, 17, 300}) {
      TestValues x = some_values(type, 3 * columns), sorted(type, x.size());
      std::vector<uint32_t> order(x.size());
      sort({type, x.data(), sorted.data(), 3, columns});
      argsort({type, x.data(), order.data(), 3, columns});
      for (int row = 0; row < 3; row++) {
        const std::vector<uint32_t> right = right_order(x, row * columns, columns);
        for (int i = 0; i < columns; i++) {
          ASSERT_EQ(sorted[row * columns + i], x[row * columns + right[i]]);
          ASSERT_EQ(order[row * columns + i], right[i]) << "type " << int(type);
        }
      }
    }
  }
}

TEST(Sort, PartitionsAroundTheKth) {
  for (Dtype type : kTypes) {
    for (int kth : {0, 5, 99}) {
      TestValues x = some_values(type, 100), parted(type, 100), sorted(type, 100);
      std::vector<uint32_t> order(100);
      sort({type, x.data(), sorted.data(), 1, 100});
      partition({type, x.data(), parted.data(), 1, 100}, kth);
      argpartition({type, x.data(), order.data(), 1, 100}, kth);
      ASSERT_EQ(parted[kth], sorted[kth]);
      ASSERT_EQ(x[order[kth]], sorted[kth]);
      for (int i = 0; i < 100; i++) {
        ASSERT_TRUE(i < kth ? parted[i] <= parted[kth] : parted[i] >= parted[kth]);
        ASSERT_TRUE(i < kth ? x[order[i]] <= sorted[kth] : x[order[i]] >= sorted[kth]);
      }
    }
  }
}

TEST(Sort, PutsNanLastAndKeepsZerosEqual) {
  for (Dtype type : {Dtype::kFloat16, Dtype::kFloat32, Dtype::kFloat64, Dtype::kBfloat16}) {
    TestValues x(type, 6);
    const double values[] = {NAN, 1, 0.0, -INFINITY, -0.0, INFINITY};
    for (int i = 0; i < 6; i++) x.set(i, values[i]);
    std::vector<uint32_t> order(6);
    argsort({type, x.data(), order.data(), 1, 6});
    EXPECT_EQ(order, (std::vector<uint32_t>{3, 2, 4, 1, 5, 0}));
  }
}

}  // namespace
}  // namespace hearth::cpu
