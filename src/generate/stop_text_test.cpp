#include "generate/stop_text.h"

#include <gtest/gtest.h>

#include <utility>

namespace hearth::generate {
namespace {

// The text that comes out when `text` arrives in pieces cut after the bytes whose bits are set in `cuts`.
std::string stream(const std::vector<std::string>& stops, std::string_view text, unsigned cuts,
                   bool* stopped = nullptr) {
  StopText stop(stops);
  std::string out, piece;
  for (size_t i = 0; i < text.size(); ++i) {
    piece += text[i];
    if (cuts >> i & 1) out += stop.push(std::exchange(piece, {}));
  }
  out += stop.push(piece);
  if (stopped) *stopped = stop.stopped();
  return out + (stop.stopped() ? "" : stop.finish());
}

TEST(StopText, EndsTheTextAtTheSamePlaceHoweverItIsCut) {
  for (unsigned cuts = 0; cuts < 1u << 12; ++cuts) {
    bool stopped = false;
    ASSERT_EQ(stream({"</s>", "<|", "zz"}, "ab<</s<</s>c", cuts, &stopped), "ab<</s<") << cuts;
    ASSERT_TRUE(stopped);
  }
}

TEST(StopText, LosesNothingOfATextThatEndsLikeAStop) {
  for (unsigned cuts = 0; cuts < 1u << 9; ++cuts) {
    bool stopped = true;
    ASSERT_EQ(stream({"<end>", "d<e!"}, "a<en d<e", cuts, &stopped), "a<en d<e") << cuts;
    ASSERT_FALSE(stopped);
  }
}

TEST(StopText, OfSeveralTakesTheOneCompletedFirst) {
  for (unsigned cuts = 0; cuts < 1u << 6; ++cuts) {
    ASSERT_EQ(stream({"bcde", "cd"}, "abcdef", cuts), "ab");
    ASSERT_EQ(stream({"cd", "bcd", "d"}, "abcdef", cuts), "a");  // completed by the same byte: the longest
  }
}

TEST(StopText, FindsAStopThatOverlapsItsOwnBeginning) {
  for (unsigned cuts = 0; cuts < 1u << 8; ++cuts) ASSERT_EQ(stream({"aab"}, "aaaabxyz", cuts), "aa");
}

TEST(StopText, HoldsBackOnlyWhatMayBelongToAStop) {
  StopText stop({"\n\nUser:"});
  EXPECT_EQ(stop.push("Yes."), "Yes.");
  EXPECT_EQ(stop.push("\n"), "");
  EXPECT_EQ(stop.push("\nUse"), "");
  EXPECT_EQ(stop.push("ful"), "\n\nUseful");
}

TEST(StopText, PassesEverythingWithoutStops) {
  StopText stop({});
  EXPECT_EQ(stop.push("anything"), "anything");
  EXPECT_EQ(stop.finish(), "");
}

TEST(StopText, RefusesAnEmptyStop) { EXPECT_THROW(StopText({"a", ""}), std::invalid_argument); }

}  // namespace
}  // namespace hearth::generate
