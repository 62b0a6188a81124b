#include "base/unicode.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(Unicode, ClassifiesAsPythonDoes) {
  EXPECT_TRUE(has_class(U'a', kAlpha));
  EXPECT_TRUE(has_class(U'ß', kLower));
  EXPECT_TRUE(has_class(U'ǅ', kTitle));
  EXPECT_TRUE(has_class(U'²', kDigit));
  EXPECT_FALSE(has_class(U'²', kDecimal));
  EXPECT_TRUE(has_class(U'½', kNumeric));
  EXPECT_TRUE(is_space(0x3000));
  EXPECT_TRUE(is_space(0x1f));
  EXPECT_FALSE(is_space(0x200b));
  EXPECT_FALSE(has_class(0xe000, kPrintable));
  EXPECT_EQ(character_classes(0xd800), 0);
  EXPECT_EQ(character_classes(0x110000), 0);
}

TEST(Unicode, ReadsTheDigitsOfEveryScript) {
  EXPECT_EQ(decimal_value(U'7'), 7);
  EXPECT_EQ(decimal_value(U'٣'), 3);
  EXPECT_EQ(decimal_value(0x1d7ff), 9);
  EXPECT_EQ(decimal_value(U'²'), -1);
  EXPECT_EQ(decimal_value(U'x'), -1);
}

TEST(Unicode, MapsCaseToSeveralCharactersWherePythonDoes) {
  char32_t out[3];
  EXPECT_EQ(map_case(U'ß', CaseMapping::kUpper, out), 2);
  EXPECT_EQ(std::u32string(out, 2), U"SS");
  EXPECT_EQ(map_case(U'ß', CaseMapping::kTitle, out), 2);
  EXPECT_EQ(std::u32string(out, 2), U"Ss");
  EXPECT_EQ(map_case(0x390, CaseMapping::kUpper, out), 3);
  EXPECT_EQ(map_case(0x130, CaseMapping::kLower, out), 2);
  EXPECT_EQ(map_case(U'ǆ', CaseMapping::kTitle, out), 1);
  EXPECT_EQ(out[0], U'ǅ');
  EXPECT_EQ(map_case(U'7', CaseMapping::kUpper, out), 1);
  EXPECT_EQ(out[0], U'7');
}

TEST(Unicode, ReadsAndWritesEveryLengthOfUtf8) {
  const std::string text = "aé€😀";
  std::string copy;
  size_t characters = 0;
  for (size_t at = 0; at < text.size(); ++characters) append_utf8(copy, next_character(text, at));
  EXPECT_EQ(copy, text);
  EXPECT_EQ(characters, 4u);
  EXPECT_EQ(count_characters(text + text + text), 12u);
}

TEST(Unicode, RefusesWhatIsNotUtf8) {
  EXPECT_TRUE(is_valid_utf8("é€😀"));
  for (const char* bad : {"\x80", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"})
    EXPECT_FALSE(is_valid_utf8(bad));
  size_t at = 0;
  EXPECT_EQ(next_character("\xff", at), 0xfffdu);
  EXPECT_EQ(at, 1u);
}

}  // namespace
}  // namespace hearth
