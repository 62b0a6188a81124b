#include "core/cpu/product.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <tuple>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/kernels.h"
#include "core/cpu/matrices_test.h"

namespace hearth::cpu {
namespace {

Matrix multiply(const Kernels& kernels, const Matrix& x, const Matrix& w, int64_t m) {
  Matrix y(x.type, m, w.rows, 3);
  kernels.matmul({.type = x.type,
                  .x = x.data(),
                  .w = w.data(),
                  .y = y.data(),
                  .m = m,
                  .n = w.rows,
                  .k = w.columns,
                  .x_stride = x.stride,
                  .w_stride = w.stride,
                  .y_stride = y.stride});
  EXPECT_TRUE(y.untouched_outside());
  return y;
}

Matrix multiply(const Kernels& kernels, const Matrix& x, const Packed& w, int64_t m) {
  Matrix y(x.type, m, w.matrix.n, 3);
  const QuantizedProduct product = {.w = w.matrix, .y = y.data(), .y_stride = y.stride, .m = m};
  kernels.quantized_matmul({.x_type = x.type,
                            .scale_type = w.scales.type,
                            .y_type = x.type,
                            .x = x.data(),
                            .x_stride = x.stride,
                            .products = {&product, 1}});
  EXPECT_TRUE(y.untouched_outside());
  return y;
}

Matrix expanded(const Kernels& kernels, const Packed& w, Dtype type) {
  Matrix out(type, w.matrix.n, w.matrix.k, 5);
  kernels.dequantize({.type = type, .w = w.matrix, .out = out.data(), .out_stride = out.stride});
  EXPECT_TRUE(out.untouched_outside());
  return out;
}

// Half a unit in the last place of the type, and float32's error over k additions of |x||w|.
testing::AssertionResult near_the_exact_product(const Matrix& x, const Matrix& w, const Matrix& y) {
  const double unit = x.type == Dtype::kFloat32 ? 0x1p-24 : x.type == Dtype::kFloat16 ? 0x1p-11 : 0x1p-8;
  for (int64_t m = 0; m < y.rows; m++) {
    for (int64_t n = 0; n < y.columns; n++) {
      double exact = 0, size = 0;
      for (int64_t k = 0; k < w.columns; k++) {
        exact += static_cast<double>(x.at(m, k)) * w.at(n, k);
        size += std::abs(static_cast<double>(x.at(m, k)) * w.at(n, k));
      }
      const double allowed = unit * std::abs(exact) + size * 0x1p-24 * (4 + w.columns / 8.0) + 0x1p-24;
      if (!(std::abs(y.at(m, n) - exact) <= allowed)) {
        return testing::AssertionFailure()
               << "y[" << m << ", " << n << "] = " << y.at(m, n) << ", exactly " << exact << ", allowed " << allowed;
      }
    }
  }
  return testing::AssertionSuccess();
}

bool same_number(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

class EveryTable : public testing::TestWithParam<std::tuple<Isa, Dtype>> {
 protected:
  const Kernels& kernels = kernels_for(std::get<0>(GetParam()));
  const Dtype type = std::get<1>(GetParam());
  // Rows of x: every way to fill a tile, and past the rows that stay in L2.
  const std::vector<int64_t> counts = {1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 16, 31, 64, 127, 128, 129};

  void expect_weights_of_the_specification(const Packed& packed) {
    const int64_t rows = packed.matrix.n, columns = packed.matrix.k;
    const Matrix expected = expanded(kernels_for(Isa::kScalar), packed, type);
    const Matrix weights = expanded(kernels, packed, type);
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t c = 0; c < columns; c++) {
        ASSERT_TRUE(same_number(expected.at(r, c), weights.at(r, c)))
            << packed.matrix.bits << " bits, row " << r << ", column " << c;
      }
    }
    // One weight at a time, so that infinities stay apart.
    Matrix x(type, 9, columns);
    for (int64_t k = 0; k < columns; k++) {
      for (int64_t i = 0; i < 9 * columns; i++) set(type, x.data(), i, i % columns == k ? 1 : 0);
      for (int64_t m : {1, 9}) {
        const Matrix y = multiply(kernels, x, packed, m), z = multiply(kernels, x, weights, m);
        for (int64_t n = 0; n < rows; n++) {
          ASSERT_TRUE(same_number(z.at(0, n), y.at(0, n))) << packed.matrix.bits << " bits, weight " << n << ", " << k;
        }
      }
    }
  }
};

// The table with BF16, which multiplies with expanded codes. The others' quantized products: integer_product_test.cpp.
class ExpandingTable : public EveryTable {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ExpandingTable);

std::vector<Isa> expanding_isas() {
  const auto isas = available_isas();
  return isas.back() == Isa::kAvx512Bf16 ? std::vector<Isa>{isas.back()} : std::vector<Isa>{};
}

TEST_P(EveryTable, MultipliesDenseMatricesOfAnyShape) {
  for (int64_t k : {0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 96, 100, 1030}) {
    for (int64_t n : {1, 3, 4, 5, 6, 7, 13}) {
      const Matrix x = Matrix(type, 11, k, 3).randomize(1, 1), w = Matrix(type, n, k, 1).randomize(2, 1);
      for (int64_t m : {0, 1, 2, 5, 11}) {
        ASSERT_TRUE(near_the_exact_product(x, w, multiply(kernels, x, w, m))) << m << " x " << n << " x " << k;
      }
    }
  }
}

TEST_P(ExpandingTable, MultipliesCodesOfAnyWidth) {
  for (int bits : {2, 3, 4, 5, 6, 8}) {
    for (int group : {32, 64, 128}) {
      const Matrix w = Matrix(type, 11, 384).randomize(3, 0.1f), x = Matrix(type, 9, 384).randomize(4, 1);
      const Packed packed(w, bits, group);
      const Matrix weights = expanded(kernels_for(Isa::kScalar), packed, type);
      for (int64_t m : {1, 3, 8, 9}) {
        ASSERT_TRUE(near_the_exact_product(x, weights, multiply(kernels, x, packed, m)))
            << bits << " bits by " << group;
      }
    }
  }
}

TEST_P(EveryTable, DequantizesToTheSameBitsAsTheSpecification) {
  for (int bits : {2, 3, 4, 5, 6, 8}) {
    for (int group : {32, 64, 128}) {
      const Packed packed(Matrix(type, 7, 384).randomize(5, 0.02f), bits, group);
      const Matrix expected = expanded(kernels_for(Isa::kScalar), packed, type);
      ASSERT_TRUE(same_rows(expected, expanded(kernels, packed, type), 7)) << bits << " bits by " << group;
      const std::vector<int32_t> rows = {6, 0, 3, 3};
      Matrix gathered(type, 4, 384, 1);
      kernels.gather_rows_dequantize({.type = type,
                                      .w = packed.matrix,
                                      .rows = rows.data(),
                                      .count = 4,
                                      .out = gathered.data(),
                                      .out_stride = gathered.stride});
      for (int64_t i = 0; i < 4; i++) {
        ASSERT_EQ(0, std::memcmp(gathered.row(i), expected.row(rows[static_cast<size_t>(i)]), gathered.row_bytes()));
      }
    }
  }
}

TEST_P(EveryTable, GivesARowTheSameBitsWhateverRowsAreBesideIt) {
  const Matrix x = Matrix(type, 130, 2176).randomize(6, 1), w = Matrix(type, 19, 2176).randomize(7, 0.1f);
  const Matrix whole = multiply(kernels, x, w, 130);
  for (int64_t m : counts) ASSERT_TRUE(same_rows(multiply(kernels, x, w, m), whole, m)) << "dense, " << m << " rows";
  for (int64_t r : {1, 64, 129}) {
    Matrix alone(type, 1, 2176);
    std::memcpy(alone.data(), x.row(r), x.row_bytes());
    const Matrix y = multiply(kernels, alone, w, 1);
    ASSERT_EQ(0, std::memcmp(y.row(0), whole.row(r), y.row_bytes())) << "row " << r;
  }
}

// But where avx512bf16 adds products of pairs of bfloat16.
TEST_P(EveryTable, GivesDenseProductsTheBitsOfTheSpecification) {
  if (type == Dtype::kBfloat16 && std::get<0>(GetParam()) == Isa::kAvx512Bf16) return;
  for (int64_t k : {0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 100, 1030, 2176}) {
    const Matrix x = Matrix(type, 13, k, 3).randomize(12, 1), w = Matrix(type, 11, k, 1).randomize(13, 1);
    const Matrix expected = multiply(kernels_for(Isa::kScalar), x, w, 13);
    for (int64_t m : {1, 2, 3, 4, 7, 8, 9, 13}) {
      ASSERT_TRUE(same_rows(multiply(kernels, x, w, m), expected, m)) << m << " rows of " << k;
    }
  }
}

// The law that lets quantized and dense layers be exchanged. With float32 it holds too: both compute fma(s, q, b).
TEST_P(ExpandingTable, MultipliesCodesToTheSameBitsAsTheirDequantizedMatrix) {
  for (int bits : {2, 3, 4, 5, 6, 8}) {
    for (int group : {32, 64, 128}) {
      const Matrix x = Matrix(type, 130, 1280).randomize(8, 1);
      const Packed packed(Matrix(type, 11, 1280).randomize(9, 0.05f), bits, group);
      const Matrix expected = multiply(kernels, x, expanded(kernels, packed, type), 130);
      for (int64_t m : counts) {
        ASSERT_TRUE(same_rows(multiply(kernels, x, packed, m), expected, m))
            << bits << " bits by " << group << ", " << m << " rows";
      }
    }
  }
}

TEST_P(EveryTable, GivesTheSameBitsOnOneAndTwoThreads) {
  const Matrix x = Matrix(type, 40, 576).randomize(10, 1);
  const Packed packed(Matrix(type, 301, 576).randomize(11, 0.05f), 4, 32);
  const int threads = ThreadPool::global().size();
  for (int64_t m : {1, 6, 40}) {
    ThreadPool::global().resize(1);
    const Matrix one = multiply(kernels, x, packed, m);
    ThreadPool::global().resize(2);
    EXPECT_TRUE(same_rows(one, multiply(kernels, x, packed, m), m)) << m << " rows";
  }
  ThreadPool::global().resize(threads);
}

// Scales near the ends of the type: weights that overflow, are subnormal, tie between two values, or are not numbers.
TEST_P(ExpandingTable, RoundsExtremeWeightsLikeTheSpecification) {
  for (int bits : {2, 4, 5, 8}) {
    Packed packed(Matrix(type, 64, 128).randomize(15, 1), bits, 32);
    const float scales[] = {3e4f, 6e-8f, 1e-5f, 0.0009765625f, 1.0009765625f, 0, 65504, -2048, -3e-5f};
    const float biases[] = {65504, 1e-5f, -6e-8f, 1, 2049, 0, -65504, 0.5f, 6.1e-5f};
    for (int64_t i = 0; i < 64 * 4; i++) {
      set(type, packed.scales.data(), i, scales[i % 9]);
      set(type, packed.biases.data(), i, biases[i / 9 % 9]);
    }
    set(type, packed.scales.data(), 70, NAN);
    set(type, packed.biases.data(), 90, INFINITY);
    expect_weights_of_the_specification(packed);
  }
}

// Biases that no float can hold beside a multiple of the scale.
TEST_P(ExpandingTable, RoundsWeightsOfSmallBiasesLikeTheSpecification) {
  for (int bits : {2, 3, 4, 5, 6, 8}) {
    Packed packed(Matrix(type, 16, 128).randomize(16, 1), bits, 32);
    const float scales[] = {1.0009765625f, -0.333f, 7}, biases[] = {1.0001e-5f, -0.2503f, 6e-8f, 0.0371f};
    for (int64_t i = 0; i < 16 * 4; i++) {
      set(type, packed.scales.data(), i, scales[i % 3]);
      set(type, packed.biases.data(), i, biases[i % 4]);
    }
    expect_weights_of_the_specification(packed);
  }
}

std::string case_name(const testing::TestParamInfo<std::tuple<Isa, Dtype>>& info) {
  const Dtype type = std::get<1>(info.param);
  return std::string(isa_name(std::get<0>(info.param))) + "_" +
         (type == Dtype::kFloat32   ? "float32"
          : type == Dtype::kFloat16 ? "float16"
                                    : "bfloat16");
}

INSTANTIATE_TEST_SUITE_P(Product, EveryTable,
                         testing::Combine(testing::ValuesIn(available_isas().begin(), available_isas().end()),
                                          testing::Values(Dtype::kFloat32, Dtype::kFloat16, Dtype::kBfloat16)),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Product, ExpandingTable,
                         testing::Combine(testing::ValuesIn(expanding_isas()),
                                          testing::Values(Dtype::kFloat32, Dtype::kFloat16, Dtype::kBfloat16)),
                         case_name);

}  // namespace
}  // namespace hearth::cpu
