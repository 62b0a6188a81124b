#include "text/template_difference.h"

#include <gtest/gtest.h>

#include <vector>

namespace hearth::text {
namespace {

TEST(TemplateDifference, FindsNothingInEqualTexts) {
  EXPECT_FALSE(find_difference(std::string_view("same"), std::string_view("same")));
}

TEST(TemplateDifference, NamesThePlaceByWholeCharacters) {
  const auto difference = find_difference(std::string_view("one\ntwo é!"), std::string_view("one\ntwo è!"));
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->byte, 8u);
  EXPECT_EQ(difference->line, 2);
  EXPECT_EQ(difference->column, 5);
  EXPECT_EQ(difference->before, "one\ntwo ");
  EXPECT_EQ(difference->first, "é!");
  EXPECT_EQ(difference->second, "è!");
}

TEST(TemplateDifference, SeesWhereTheShorterTextEnds) {
  const auto difference = find_difference(std::string_view("ab"), std::string_view("abc"));
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->first, "");
  EXPECT_EQ(difference->second, "c");
}

TEST(TemplateDifference, FindsTheFirstTokenThatDiffers) {
  const std::vector<int32_t> a = {1, 2, 3}, b = {1, 2, 4}, c = {1, 2};
  EXPECT_EQ(find_difference(a, b), 2u);
  EXPECT_EQ(find_difference(a, c), 2u);
  EXPECT_EQ(find_difference(a, a), std::nullopt);
}

}  // namespace
}  // namespace hearth::text
