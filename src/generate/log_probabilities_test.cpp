#include "generate/log_probabilities.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "generate/row_math.h"
#include "generate/sampler_fixture.h"

namespace hearth::generate {
namespace {

TEST(RowMath, ExpIsWithinTwoUnitsOfTheLastPlace) {
  for (float x = -86.9f; x <= 0; x += 0.0137f)
    ASSERT_NEAR(exp_of_negative(x) / std::exp(static_cast<double>(x)), 1, 2.4e-7) << x;
  EXPECT_EQ(exp_of_negative(0), 1);
  EXPECT_EQ(exp_of_negative(-100), 0);
  EXPECT_EQ(exp_of_negative(-std::numeric_limits<float>::infinity()), 0);
}

TEST(RowMath, ArgmaxFindsEveryPlaceInRowsOfEveryLength) {
  for (const size_t length : {1, 15, 16, 17, 1023, 1024, 1025, 3000}) {
    for (size_t place = 0; place < length; place += 1 + length / 40) {
      std::vector<float> row(length, -2);
      row[place] = -1;
      ASSERT_EQ(argmax(row), static_cast<int32_t>(place)) << length;
    }
  }
}

TEST(LogProbabilities, SumToOneAndAreSorted) {
  for (size_t row = 0; row < 5; ++row) {
    const std::vector<float> logits = fixture_row(row);
    const TokenLogProbability result = log_probabilities(logits, 9, 1000);
    ASSERT_EQ(result.top.size(), logits.size());
    double sum = 0;
    for (size_t i = 0; i < result.top.size(); ++i) {
      sum += std::exp(result.top[i].second);
      const auto& [token, logprob] = result.top[i];
      ASSERT_LE(logprob, i > 0 ? result.top[i - 1].second : 0);
      ASSERT_TRUE(token != 9 || logprob == result.logprob);
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

}  // namespace
}  // namespace hearth::generate
