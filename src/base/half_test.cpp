#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace hearth {
namespace {

TEST(Half, EveryFloat16SurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = float16_to_float(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float16_to_float(float_to_float16(value))));
      continue;
    }
    EXPECT_EQ(float_to_float16(value), bits);
    EXPECT_EQ(value, static_cast<float>(std::bit_cast<_Float16>(static_cast<uint16_t>(bits))));
  }
}

TEST(Half, RoundsToFloat16AsTheCompilerDoes) {
  for (uint32_t i = 0; i < 2'000'000; ++i) {
    const float value = std::bit_cast<float>(i * 2147u);
    if (std::isnan(value)) continue;
    EXPECT_EQ(float_to_float16(value), std::bit_cast<uint16_t>(static_cast<_Float16>(value))) << value;
  }
}

TEST(Half, Bfloat16RoundsToNearestEvenAndKeepsNan) {
  EXPECT_EQ(float_to_bfloat16(1.0f), 0x3f80);
  EXPECT_EQ(float_to_bfloat16(1.00390625f), 0x3f80);  // halfway, to even
  EXPECT_EQ(float_to_bfloat16(1.01171875f), 0x3f82);  // halfway, to even
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::infinity()), 0x7f80);
  EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(std::nanf("")))));
}

}  // namespace
}  // namespace hearth
