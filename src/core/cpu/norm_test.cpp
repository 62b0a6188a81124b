#include "core/cpu/norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/cpu/kernels.h"
#include "core/cpu/test_values.h"

namespace hearth::cpu {
namespace {

class Norm : public testing::TestWithParam<Isa> {};

struct Case {
  Dtype type;
  int rows, columns;
  bool weight, residual;
  size_t misaligned;
};

// Relative error that float32 sums of n terms of one sign and the output's rounding explain.
double tolerance(Dtype type, int columns) { return rounding(type) + (columns / 16 + 16) * 0x1p-24; }

void expect_rms_norm(const Case& c, Isa isa) {
  TestValues x = random_values(c.type, c.rows * c.columns, 1, c.misaligned), r = random_values(c.type, x.size(), 2);
  TestValues w = random_values(c.type, c.columns, 3), sum(c.type, x.size() + 1), out(c.type, x.size() + 1);
  RmsNormArgs args;
  args.type = c.type, args.x = x.data(), args.out = out.data(), args.rows = c.rows, args.columns = c.columns;
  args.x_stride = args.out_stride = args.residual_stride = args.sum_stride = c.columns;
  args.weight = c.weight ? w.data() : nullptr;
  if (c.residual) args.residual = r.data(), args.sum = sum.data();
  kernels_for(isa).rms_norm(args);
  for (int row = 0; row < c.rows; row++) {
    double squares = 0;
    std::vector<double> values(c.columns);
    for (int i = 0; i < c.columns; i++) {
      const size_t at = row * c.columns + i;
      values[i] = x[at];
      if (c.residual) {
        ASSERT_EQ(sum[at], round_to(c.type, x[at] + r[at]));
        values[i] = sum[at];
      }
      squares += values[i] * values[i];
    }
    for (int i = 0; i < c.columns; i++) {
      const double weight = c.weight ? w[i] : 1.0;
      const double right = values[i] / std::sqrt(squares / c.columns + 1e-5f) * weight;
      ASSERT_NEAR(out[row * c.columns + i], right, std::abs(right) * tolerance(c.type, c.columns) + 1e-7)
          << isa_name(isa) << " columns " << c.columns;
    }
  }
  EXPECT_TRUE(std::isnan(out[x.size()])) << "wrote past the end";
}

void expect_layer_norm(const Case& c, Isa isa) {
  TestValues x = random_values(c.type, c.rows * c.columns, 1, c.misaligned), out(c.type, x.size() + 1);
  TestValues w = random_values(c.type, c.columns, 3), b = random_values(c.type, c.columns, 4);
  LayerNormArgs args;
  args.type = c.type, args.x = x.data(), args.out = out.data(), args.rows = c.rows, args.columns = c.columns;
  args.x_stride = args.out_stride = c.columns;
  if (c.weight) args.weight = w.data(), args.bias = b.data();
  kernels_for(isa).layer_norm(args);
  for (int row = 0; row < c.rows; row++) {
    double mean = 0, squares = 0;
    for (int i = 0; i < c.columns; i++) mean += x[row * c.columns + i] / double(c.columns);
    for (int i = 0; i < c.columns; i++) squares += std::pow(x[row * c.columns + i] - mean, 2);
    for (int i = 0; i < c.columns; i++) {
      const double scale = 1 / std::sqrt(squares / c.columns + 1e-5f), weight = c.weight ? w[i] : 1;
      const double right = (x[row * c.columns + i] - mean) * scale * weight + (c.weight ? b[i] : 0);
      const double size = (std::abs(x[row * c.columns + i]) + std::abs(mean) + 1) * scale * std::abs(weight) + 1;
      ASSERT_NEAR(out[row * c.columns + i], right,
                  std::abs(right) * rounding(c.type) + size * tolerance(Dtype::kFloat32, c.columns))
          << isa_name(isa);
    }
  }
  EXPECT_TRUE(std::isnan(out[x.size()])) << "wrote past the end";
}

TEST_P(Norm, MatchesDoublePrecisionAtEveryLength) {
  for (Dtype type : kShortFloats) {
    for (int columns = 1; columns <= 70; columns++) {
      expect_rms_norm({type, 2, columns, columns % 2 == 0, columns % 3 == 0, size_t(columns % 4)}, GetParam());
      expect_layer_norm({type, 2, columns, columns % 2 == 0, false, size_t(columns % 4)}, GetParam());
    }
    expect_rms_norm({type, 40, 576, true, true, 0}, GetParam());
    expect_layer_norm({type, 3, 4096, true, false, 1}, GetParam());
  }
}

TEST_P(Norm, WorksInPlaceAndInAnyNumberOfRows) {
  for (Dtype type : kShortFloats) {
    TestValues x = random_values(type, 50 * 100, 5), whole(type, x.size());
    RmsNormArgs args;
    args.type = type, args.x = x.data(), args.out = whole.data(), args.rows = 50, args.columns = 100;
    args.x_stride = args.out_stride = 100;
    kernels_for(GetParam()).rms_norm(args);
    for (int row = 0; row < 50; row++) {
      args.x = args.out = x.at(row * 100), args.rows = 1;
      kernels_for(GetParam()).rms_norm(args);
    }
    EXPECT_EQ(x.bytes(), whole.bytes());
  }
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Norm, testing::ValuesIn(available_isas().begin(), available_isas().end()),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

}  // namespace
}  // namespace hearth::cpu
