#include "core/cpu/integer_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/isa.h"
#include "core/cpu/kernels.h"
#include "core/cpu/matrices_test.h"

namespace hearth::cpu {
namespace {

constexpr int kAllBits[] = {2, 3, 4, 5, 6, 8};
constexpr int kGroups[] = {32, 64, 128};
constexpr Dtype kTypes[] = {Dtype::kFloat32, Dtype::kFloat16, Dtype::kBfloat16};

struct Variant {
  std::string name;
  IntegerKernels kernels;
};

// All that this machine can run, the specification first.
std::vector<Variant> variants() {
  std::vector<Variant> all = {{"scalar", integer_kernels_scalar()}};
  const Isa best = available_isas().back();
  if (best >= Isa::kAvx2) all.push_back({"avx2", integer_kernels_avx2()});
  if (has_vnni(Isa::kAvx2)) all.push_back({"avx_vnni", integer_kernels_avx_vnni()});
  if (best >= Isa::kAvx512) all.push_back({"avx512", integer_kernels_avx512()});
  if (has_vnni(Isa::kAvx512)) all.push_back({"avx512_vnni", integer_kernels_avx512_vnni()});
  return all;
}

Matrix multiply(const IntegerKernels& kernels, const Matrix& x, const Packed& w, int64_t m,
                Dtype y_type = Dtype::kFloat32) {
  Matrix y(y_type, m, w.matrix.n, 3);
  const QuantizedProduct product = {.w = w.matrix, .y = y.data(), .y_stride = y.stride, .m = m};
  run_integer_product({.x_type = x.type,
                       .scale_type = w.scales.type,
                       .y_type = y_type,
                       .x = x.data(),
                       .x_stride = x.stride,
                       .products = {&product, 1}},
                      kernels);
  EXPECT_TRUE(y.untouched_outside());
  return y;
}

// Ordinary activations: normal, one in a hundred a hundred times as large.
Matrix with_outliers(Dtype type, int64_t rows, int64_t columns, unsigned seed) {
  Matrix x = Matrix(type, rows, columns, 5).randomize(seed, 1);
  std::mt19937 random(seed);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < columns; c++) {
      if (random() % 100 == 0) set(type, x.data(), r * x.stride + c, 100 * x.at(r, c));
    }
  }
  return x;
}

// Weights as the format says, without any rounding.
std::vector<double> exact_row(const Packed& w, int64_t n) {
  const QuantizedMatrix& m = w.matrix;
  const auto* codes = reinterpret_cast<const uint8_t*>(m.packed) + n * (m.k * m.bits / 8);
  std::vector<double> row;
  for (int64_t k = 0; k < m.k; k++) {
    int code = 0;
    for (int b = 0; b < m.bits; b++) code |= (codes[(k * m.bits + b) / 8] >> ((k * m.bits + b) % 8) & 1) << b;
    const int64_t g = k / m.group_size;
    row.push_back(static_cast<double>(w.scales.at(n, g)) * code + w.biases.at(n, g));
  }
  return row;
}

// x's rounding, 2^-16 of a group's largest size for each weight, and float32's over a sum of |x||w| and of |x||bias|.
double allowed_error(const Matrix& x, int64_t m, const Packed& w, int64_t n, const std::vector<double>& row) {
  double allowed = 1e-37;
  const int group = w.matrix.group_size;
  for (int64_t begin = 0; begin < w.matrix.k; begin += group) {
    double largest = 0, weights = 0, sizes = 0;
    for (int64_t k = begin; k < begin + group; k++) {
      const double size = std::abs(static_cast<double>(x.at(m, k)));
      largest = std::max(largest, size);
      weights += std::abs(row[static_cast<size_t>(k)]);
      sizes += size * (std::abs(row[static_cast<size_t>(k)]) + 2 * std::abs(w.biases.at(n, begin / group)));
    }
    allowed += largest * 0x1.01p-16 * weights + sizes * 0x1p-24 * (8 + static_cast<double>(w.matrix.k) / 64);
  }
  return allowed;
}

TEST(IntegerProduct, StaysWithinTheBoundOfItsFormat) {
  for (const int bits : kAllBits) {
    for (const int group : kGroups) {
      const Packed w(Matrix(Dtype::kFloat16, 9, 3 * 128).randomize(1, 0.05f), bits, group);
      const Matrix x = with_outliers(Dtype::kFloat32, 3, 3 * 128, 2);
      const Matrix y = multiply(integer_kernels_scalar(), x, w, 3);
      for (int64_t n = 0; n < 9; n++) {
        const std::vector<double> row = exact_row(w, n);
        for (int64_t m = 0; m < 3; m++) {
          double exact = 0;
          for (int64_t k = 0; k < 3 * 128; k++) exact += row[static_cast<size_t>(k)] * x.at(m, k);
          ASSERT_LE(std::abs(y.at(m, n) - exact), allowed_error(x, m, w, n, row)) << bits << " bits by " << group;
        }
      }
    }
  }
}

double relative_error(const Matrix& x, const Packed& w, const Matrix& y) {
  double error = 0, size = 0;
  for (int64_t n = 0; n < w.matrix.n; n++) {
    const std::vector<double> row = exact_row(w, n);
    for (int64_t m = 0; m < x.rows; m++) {
      double exact = 0;
      for (int64_t k = 0; k < w.matrix.k; k++) exact += row[static_cast<size_t>(k)] * x.at(m, k);
      error += (y.at(m, n) - exact) * (y.at(m, n) - exact);
      size += exact * exact;
    }
  }
  return std::sqrt(error / size);
}

TEST(IntegerProduct, ErrsByLessThanOneInTenThousandBesideOutliers) {
  const IntegerKernels kernels = variants().back().kernels;
  for (const int64_t k : {128, 2048, 14336}) {
    const int64_t rows = 8 * (14336 / k);
    for (const int group : kGroups) {
      const Packed w(Matrix(Dtype::kBfloat16, 16, k).randomize(3, 0.05f), 4, group);
      const Matrix x = with_outliers(Dtype::kFloat32, rows, k, 4);
      EXPECT_LE(relative_error(x, w, multiply(kernels, x, w, rows)), 1e-4) << "K " << k << ", groups of " << group;
    }
  }
}

// Chunks and units that end early, rows of W that fill no block, every number of rows of x up to two tiles, types
// mixed.
TEST(IntegerProduct, HasTheSameBitsOnEveryInstructionSet) {
  const std::vector<Variant> all = variants();
  int turn = 0;
  for (const int bits : kAllBits) {
    for (const int group : kGroups) {
      for (const int64_t groups : {1, 3, 8, 9, 17}) {
        const int64_t k = groups * group, m = turn % 19 + 1, n = turn % 5 * 8 + 3;
        const Packed w(Matrix(kTypes[turn % 3], n, k).randomize(5, 0.05f), bits, group);
        const Matrix x = with_outliers(kTypes[turn / 3 % 3], m, k, 6);
        const Dtype y_type = kTypes[turn++ / 9 % 3];
        const Matrix expected = multiply(all[0].kernels, x, w, m, y_type);
        for (const Variant& variant : all) {
          ASSERT_TRUE(same_rows(multiply(variant.kernels, x, w, m, y_type), expected, m))
              << variant.name << ": " << bits << " bits by " << group << ", K " << k << ", M " << m;
        }
      }
    }
  }
}

TEST(IntegerProduct, GivesARowTheSameBitsWhateverRowsAreBesideIt) {
  for (const Variant& variant : variants()) {
    for (const int bits : {2, 4, 8}) {
      const Packed w(Matrix(Dtype::kFloat16, 19, 1088).randomize(7, 0.05f), bits, 64);
      const Matrix x = with_outliers(Dtype::kFloat16, 130, 1088, 8);
      const Matrix whole = multiply(variant.kernels, x, w, 130);
      const bool every = variant.name != "scalar";  // which takes its time
      for (int64_t m = 1; m < 130; m += every ? 1 : 43) {
        ASSERT_TRUE(same_rows(multiply(variant.kernels, x, w, m), whole, m)) << variant.name << ", " << m << " rows";
      }
    }
  }
}

TEST(IntegerProduct, GivesTheSameBitsOnOneAndTwoThreads) {
  const Packed w(Matrix(Dtype::kBfloat16, 301, 576).randomize(9, 0.05f), 4, 32);
  const Matrix x = with_outliers(Dtype::kBfloat16, 70, 576, 10);
  const int threads = ThreadPool::global().size();
  for (const Variant& variant : variants()) {
    for (const int64_t m : {1, 6, 70}) {
      ThreadPool::global().resize(1);
      const Matrix one = multiply(variant.kernels, x, w, m);
      ThreadPool::global().resize(2);
      EXPECT_TRUE(same_rows(one, multiply(variant.kernels, x, w, m), m)) << variant.name << ", " << m << " rows";
    }
  }
  ThreadPool::global().resize(threads);
}

TEST(IntegerProduct, TakesRowsByTheirNumbers) {
  const Packed w(Matrix(Dtype::kFloat16, 21, 128).randomize(11, 0.05f), 4, 64);
  const Matrix x = with_outliers(Dtype::kFloat16, 40, 128, 12);
  for (const Variant& variant : variants()) {
    const Matrix whole = multiply(variant.kernels, x, w, 40);
    std::vector<int32_t> rows;
    for (int32_t i = 0; i < 23; i++) rows.push_back(i * 7 % 40);
    Matrix y(Dtype::kFloat32, 23, 21);
    const QuantizedProduct product = {.w = w.matrix, .y = y.data(), .y_stride = y.stride, .m = 23, .rows = rows.data()};
    run_integer_product({.x_type = x.type,
                         .scale_type = w.scales.type,
                         .y_type = y.type,
                         .x = x.data(),
                         .x_stride = x.stride,
                         .products = {&product, 1}},
                        variant.kernels);
    for (int64_t i = 0; i < 23; i++) {
      ASSERT_EQ(0, std::memcmp(y.row(i), whole.row(rows[static_cast<size_t>(i)]), y.row_bytes())) << variant.name;
    }
  }
}

// Matrices of one format in one region of threads, then one of another.
TEST(IntegerProduct, ServesSeveralMatricesInOneCall) {
  const Packed first(Matrix(Dtype::kFloat16, 21, 256).randomize(13, 0.05f), 4, 64);
  const Packed second(Matrix(Dtype::kFloat16, 5, 256).randomize(14, 0.05f), 4, 64);
  const Packed third(Matrix(Dtype::kFloat16, 10, 256).randomize(15, 0.05f), 6, 64);
  for (const Variant& variant : variants()) {
    for (const int64_t m : {1, 7, 20}) {
      const Matrix x = with_outliers(Dtype::kFloat16, m, 256, 16);
      std::vector<Matrix> results;
      std::vector<QuantizedProduct> products;
      for (const Packed* w : {&first, &second, &third}) results.emplace_back(Dtype::kFloat32, m, w->matrix.n, 2);
      int i = 0;
      for (const Packed* w : {&first, &second, &third}) {
        Matrix& y = results[static_cast<size_t>(i++)];
        products.push_back({.w = w->matrix, .y = y.data(), .y_stride = y.stride, .m = m});
      }
      run_integer_product({.x_type = x.type,
                           .scale_type = Dtype::kFloat16,
                           .y_type = Dtype::kFloat32,
                           .x = x.data(),
                           .x_stride = x.stride,
                           .products = products},
                          variant.kernels);
      EXPECT_TRUE(same_rows(results[0], multiply(variant.kernels, x, first, m), m)) << variant.name;
      EXPECT_TRUE(same_rows(results[1], multiply(variant.kernels, x, second, m), m)) << variant.name;
      EXPECT_TRUE(same_rows(results[2], multiply(variant.kernels, x, third, m), m)) << variant.name;
    }
  }
}

// What float arithmetic gives: infinity times a weight's sign, NaN for infinities of both signs or times a weight of 0.
TEST(IntegerProduct, KeepsInfinitiesAndNaNToTheirRows) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Packed w(Matrix(Dtype::kFloat32, 11, 128).randomize(17, 0.05f), 4, 32);
  for (const Variant& variant : variants()) {
    for (const int64_t m : {4, 12}) {
      Matrix x = with_outliers(Dtype::kFloat32, m, 128, 18);
      const Matrix finite = multiply(variant.kernels, x, w, m);
      set(x.type, x.data(), 1 * x.stride + 40, NAN);
      set(x.type, x.data(), 2 * x.stride + 70, -kInfinity);
      set(x.type, x.data(), 3 * x.stride + 70, kInfinity);
      set(x.type, x.data(), 3 * x.stride + 71, kInfinity);
      const Matrix y = multiply(variant.kernels, x, w, m);
      for (int64_t n = 0; n < 11; n++) {
        const std::vector<double> row = exact_row(w, n);
        EXPECT_EQ(y.at(0, n), finite.at(0, n));
        EXPECT_TRUE(std::isnan(y.at(1, n))) << variant.name;
        const float expected = -kInfinity * static_cast<float>(row[70]);
        EXPECT_TRUE(y.at(2, n) == expected || (std::isnan(expected) && std::isnan(y.at(2, n)))) << variant.name;
        const float both = kInfinity * static_cast<float>(row[70]) + kInfinity * static_cast<float>(row[71]);
        EXPECT_TRUE(y.at(3, n) == both || (std::isnan(both) && std::isnan(y.at(3, n)))) << variant.name;
        for (int64_t i = 4; i < m; i++) EXPECT_EQ(y.at(i, n), finite.at(i, n)) << variant.name;
      }
    }
  }
}

// Rows near the ends of float32's range keep their digits, and so do groups of zeros.
TEST(IntegerProduct, MultipliesTinyAndHugeRows) {
  const Packed w(Matrix(Dtype::kFloat32, 9, 192).randomize(19, 0.05f), 4, 64);
  for (const Variant& variant : variants()) {
    Matrix x = with_outliers(Dtype::kFloat32, 4, 192, 20);
    for (int64_t k = 64; k < 128; k++) set(x.type, x.data(), k, 0);
    const Matrix plain = multiply(variant.kernels, x, w, 1);
    for (const float factor : {0x1p-140f, 0x1p-70f, 0x1p66f, 0x1p118f}) {
      for (int64_t k = 0; k < 192; k++) set(x.type, x.data(), x.stride + k, x.at(0, k) * factor);
      const Matrix y = multiply(variant.kernels, x, w, 2);
      for (int64_t n = 0; n < 9; n++) {
        const double expected = static_cast<double>(plain.at(0, n)) * factor;
        EXPECT_NEAR(y.at(1, n), expected, std::abs(expected) * (factor < 0x1p-100f ? 1e-2 : 1e-6) + 1e-44)
            << variant.name << " times " << factor;
        EXPECT_EQ(y.at(0, n), plain.at(0, n)) << variant.name;
      }
    }
  }
}

TEST(IntegerProduct, GivesZerosForZeros) {
  const Packed w(Matrix(Dtype::kBfloat16, 9, 64).randomize(21, 1), 8, 32);
  Matrix x(Dtype::kBfloat16, 2, 64);
  for (int64_t i = 0; i < 128; i++) set(x.type, x.data(), i, 0);
  for (const Variant& variant : variants()) {
    const Matrix y = multiply(variant.kernels, x, w, 2);
    for (int64_t n = 0; n < 9; n++) EXPECT_EQ(y.at(1, n), 0) << variant.name;
  }
}

// Codes and integers as large as they get, all of one sign.
TEST(IntegerProduct, HoldsTheLargestSums) {
  Packed w(Matrix(Dtype::kFloat32, 8, 256).randomize(22, 1), 8, 128);
  std::memset(w.codes.data() + 1, 0xff, w.codes.size() - 1);
  for (int64_t i = 0; i < 16; i++) set(Dtype::kFloat32, w.scales.data(), i, 1);
  for (int64_t i = 0; i < 16; i++) set(Dtype::kFloat32, w.biases.data(), i, 0);
  Matrix x(Dtype::kFloat32, 9, 256);
  for (int64_t i = 0; i < 9 * 256; i++) set(x.type, x.data(), i, -1);
  for (const Variant& variant : variants()) {
    const Matrix y = multiply(variant.kernels, x, w, 9);
    EXPECT_NEAR(y.at(8, 7), -255.0f * 256, 1e-6 * 255 * 256) << variant.name;
  }
}

TEST(IntegerProduct, GivesZerosForNoColumns) {
  for (const Variant& variant : variants()) {
    Matrix y(Dtype::kFloat32, 9, 3);
    const QuantizedProduct product = {.w = {.n = 3, .k = 0}, .y = y.data(), .y_stride = 3, .m = 9};
    run_integer_product({.products = {&product, 1}}, variant.kernels);
    EXPECT_EQ(y.at(8, 2), 0) << variant.name;
  }
}

}  // namespace
}  // namespace hearth::cpu
