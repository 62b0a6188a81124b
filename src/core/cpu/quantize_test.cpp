#include "core/cpu/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/half.h"

namespace hearth::cpu {
namespace {

// One case of testdata/quantize.bin: MLX's own results (tools/make_quantize_fixtures.py).
struct Case {
  std::string name;
  Dtype type;
  int bits, group;
  int64_t rows, columns;
  std::string weights, packed, scales, biases, dequantized;
};

std::vector<Case> mlx_cases() {
  std::ifstream file(std::string(HEARTH_SOURCE_DIR) + "/src/core/cpu/testdata/quantize.bin", std::ios::binary);
  EXPECT_TRUE(file.good());
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    Case c{.name = line,
           .type = {},
           .bits = 0,
           .group = 0,
           .rows = 0,
           .columns = 0,
           .weights = {},
           .packed = {},
           .scales = {},
           .biases = {},
           .dequantized = {}};
    std::string type;
    std::istringstream(line) >> type >> c.bits >> c.group >> c.rows >> c.columns;
    c.type = type == "float32" ? Dtype::kFloat32 : type == "float16" ? Dtype::kFloat16 : Dtype::kBfloat16;
    const auto read = [&](std::string& to, int64_t bytes) {
      to.resize(static_cast<size_t>(bytes));
      file.read(to.data(), bytes);
    };
    const int64_t item = static_cast<int64_t>(size_of(c.type)), count = c.rows * c.columns;
    read(c.weights, count * item);
    read(c.packed, count * c.bits / 8);
    read(c.scales, count / c.group * item);
    read(c.biases, count / c.group * item);
    read(c.dequantized, count * item);
    cases.push_back(c);
  }
  return cases;
}

float value(Dtype type, const std::string& from, int64_t i) {
  if (type == Dtype::kFloat32) {
    float f;
    std::memcpy(&f, from.data() + 4 * i, 4);
    return f;
  }
  uint16_t bits;
  std::memcpy(&bits, from.data() + 2 * i, 2);
  return type == Dtype::kFloat16 ? float16_to_float(bits) : bfloat16_to_float(bits);
}

TEST(Quantize, GivesMlxsCodesScalesAndBiasesBitForBit) {
  const auto cases = mlx_cases();
  ASSERT_EQ(cases.size(), 3u * 6 * 3);
  for (const Case& c : cases) {
    std::string packed(c.packed.size(), '?'), scales(c.scales.size(), '?'), biases(c.biases.size(), '?');
    quantize({.type = c.type,
              .w = c.weights.data(),
              .n = c.rows,
              .k = c.columns,
              .w_stride = c.columns,
              .bits = c.bits,
              .group_size = c.group,
              .packed = reinterpret_cast<uint32_t*>(packed.data()),
              .scales = scales.data(),
              .biases = biases.data()});
    EXPECT_TRUE(scales == c.scales) << c.name;
    EXPECT_TRUE(biases == c.biases) << c.name;
    EXPECT_TRUE(packed == c.packed) << c.name;
  }
}

// The numbers are MLX 0.32's.
TEST(Quantize, GivesCodeZeroToWhatIsNoNumber) {
  std::vector<float> ramp(32), infinite(32, 1.0f);
  for (int i = 0; i < 32; i++) ramp[i] = static_cast<float>(i < 16 ? i : i - 17);
  ramp[16] = NAN, infinite[3] = INFINITY;
  const auto codes = [](const std::vector<float>& w, float* scale, float* bias) {
    std::vector<uint32_t> packed(4, 77u);
    quantize({.w = w.data(),
              .n = 1,
              .k = 32,
              .w_stride = 32,
              .bits = 4,
              .group_size = 32,
              .packed = packed.data(),
              .scales = scale,
              .biases = bias});
    return packed;
  };
  float scale, bias;
  EXPECT_THAT(codes(ramp, &scale, &bias), testing::ElementsAre(2309737967u, 19088743u, 2596069104u, 305419896u));
  EXPECT_EQ(scale, -1.0f);
  EXPECT_EQ(bias, 15.0f);
  EXPECT_THAT(codes(infinite, &scale, &bias), testing::Each(0u));
  EXPECT_TRUE(std::isnan(scale));
  EXPECT_EQ(bias, INFINITY);
}

// MLX's CPU rounds s * q before it adds b, we round once: a unit in the last place of the larger term apart.
TEST(Dequantize, AgreesWithMlxToARounding) {
  for (const Case& c : mlx_cases()) {
    std::string out(c.dequantized.size(), '?');
    dequantize_scalar({.type = c.type,
                       .w = {.packed = reinterpret_cast<const uint32_t*>(c.packed.data()),
                             .scales = c.scales.data(),
                             .biases = c.biases.data(),
                             .n = c.rows,
                             .k = c.columns,
                             .bits = c.bits,
                             .group_size = c.group},
                       .out = out.data(),
                       .out_stride = c.columns});
    const float unit = c.type == Dtype::kFloat32 ? 0x1p-23f : c.type == Dtype::kFloat16 ? 0x1p-10f : 0x1p-7f;
    for (int64_t i = 0; i < c.rows * c.columns; i++) {
      const int64_t g = i / c.group;
      const float span =
          std::abs(value(c.type, c.scales, g)) * static_cast<float>(1 << c.bits) + std::abs(value(c.type, c.biases, g));
      ASSERT_NEAR(value(c.type, out, i), value(c.type, c.dequantized, i), unit * span) << c.name << ", weight " << i;
    }
  }
}

}  // namespace
}  // namespace hearth::cpu
