#include "core/cpu/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/cpu/kernels.h"
#include "core/cpu/test_values.h"

namespace hearth::cpu {
namespace {

class Rope : public testing::TestWithParam<Isa> {};

std::vector<float> usual_freqs(int rotated) {
  std::vector<float> freqs(rotated / 2);
  for (size_t i = 0; i < freqs.size(); i++) freqs[i] = std::pow(10000.0f, 2.0f * i / rotated);
  return freqs;
}

struct Case {
  Dtype type;
  int heads, size, rotated;
  bool traditional;
  std::vector<int32_t> positions;
};

void expect_right(const Case& c, Isa isa) {
  const int tokens = c.positions.size();
  const std::vector<float> freqs = usual_freqs(c.rotated);
  TestValues x = random_values(c.type, size_t(tokens) * c.heads * c.size, 1, c.rotated % 3), out(c.type, x.size() + 1);
  RopeArgs args;
  args.type = c.type, args.x = x.data(), args.out = out.data(), args.tokens = tokens, args.heads = c.heads;
  args.head_size = c.size, args.rotated = c.rotated, args.traditional = c.traditional, args.mscale = 1.25f;
  args.x_token_stride = args.out_token_stride = c.heads * c.size, args.x_head_stride = args.out_head_stride = c.size;
  args.positions = c.positions.data(), args.freqs = freqs.data();
  kernels_for(isa).rope(args);
  for (int t = 0; t < tokens; t++) {
    for (int h = 0; h < c.heads; h++) {
      const size_t head = (size_t(t) * c.heads + h) * c.size;
      for (int i = 0; i < c.rotated / 2; i++) {
        const float angle = c.positions[t] * (1.0f / freqs[i]);  // the angle is defined in float32
        const double cos = std::cos(double(angle)) * 1.25, sin = std::sin(double(angle)) * 1.25;
        const int first = c.traditional ? 2 * i : i, second = c.traditional ? 2 * i + 1 : i + c.rotated / 2;
        const double a = x[head + first], b = x[head + second], size = std::abs(a) + std::abs(b);
        const double tolerance = size * 1.25 * (rounding(c.type) + 4 * 0x1p-24) + 1e-7;
        ASSERT_NEAR(out[head + first], a * cos - b * sin, tolerance) << isa_name(isa) << " at " << c.positions[t];
        ASSERT_NEAR(out[head + second], a * sin + b * cos, tolerance) << isa_name(isa) << " at " << c.positions[t];
      }
      for (int i = c.rotated; i < c.size; i++) ASSERT_EQ(out[head + i], x[head + i]);
    }
  }
  EXPECT_TRUE(std::isnan(out[x.size()])) << "wrote past the end";
}

TEST_P(Rope, MatchesDoublePrecisionForEverySizeAndPosition) {
  const std::vector<int32_t> positions = {0, 1, 2, 3, 100, 4095, 131071, 1000003, 2000000};
  for (Dtype type : kShortFloats) {
    for (bool traditional : {false, true}) {
      for (int rotated : {2, 4, 8, 14, 16, 30, 32, 34, 64, 80, 96, 128}) {
        expect_right({type, 3, rotated, rotated, traditional, positions}, GetParam());
        expect_right({type, 2, rotated + 10, rotated, traditional, positions}, GetParam());
      }
    }
  }
}

TEST_P(Rope, GivesATokenTheSameBitsAloneInPlaceAndByOffset) {
  for (Dtype type : kShortFloats) {
    const std::vector<float> freqs = usual_freqs(64);
    TestValues x = random_values(type, 100 * 9 * 64, 1), whole(type, x.size());
    RopeArgs args;
    args.type = type, args.x = x.data(), args.out = whole.data(), args.tokens = 100, args.heads = 9;
    args.head_size = args.rotated = 64, args.freqs = freqs.data(), args.offset = 7;
    args.x_token_stride = args.out_token_stride = 9 * 64, args.x_head_stride = args.out_head_stride = 64;
    kernels_for(GetParam()).rope(args);
    for (int32_t t = 0; t < 100; t++) {
      const int32_t position = t + 7;
      args.x = args.out = x.at(t * 9 * 64), args.tokens = 1, args.positions = &position;
      kernels_for(GetParam()).rope(args);
    }
    EXPECT_EQ(x.bytes(), whole.bytes());
  }
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Rope, testing::ValuesIn(available_isas().begin(), available_isas().end()),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

}  // namespace
}  // namespace hearth::cpu
