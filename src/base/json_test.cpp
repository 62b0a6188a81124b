#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace hearth {
namespace {

TEST(Json, KeepsKeyOrderAndExactNumbers) {
  const Json value = parse_json(R"({"b": 0.1, "a": 18446744073709551615})", "text");
  EXPECT_EQ(value.dump(), R"({"b":0.1,"a":18446744073709551615})");
}

TEST(Json, RefusesIntegersThatWouldLoseDigitsWhereAsked) {
  const std::string large = "[10000000000000000000000000]", low = "[-9223372036854775809]";
  EXPECT_THROW(parse_json(large, "text"), LoadError);
  EXPECT_THROW(parse_json(low, "text"), LoadError);
  EXPECT_EQ(parse_json("[1e25, -1.0E+30, -9223372036854775808]", "text").dump(), "[1e+25,-1e+30,-9223372036854775808]");
  EXPECT_EQ(parse_json(large, "config.json", {}).dump(), "[1e+25]");
}

TEST(Json, DoesNotEndAtAZeroByte) {
  using namespace std::string_literals;
  for (const std::string& text : {"{}\0"s, "{}\0garbage"s, "[1,\0 2]"s, "[\"\0\"]"s})
    EXPECT_THROW(parse_json(text, "text"), LoadError) << testing::PrintToString(text);
}

TEST(Json, NamesTheSourceInErrors) {
  try {
    parse_json("{\"a\": ", "config.json");
    FAIL();
  } catch (const LoadError& e) {
    EXPECT_EQ(std::string(e.what()).rfind("config.json: not valid JSON", 0), 0u) << e.what();
  }
}

TEST(Json, RefusesWhatExceedsALimit) {
  EXPECT_THROW(parse_json(std::string(100'000, '['), "deep"), LoadError);
  EXPECT_THROW(parse_json("[[[1]]]", "deep", {.depth = 2}), LoadError);
  EXPECT_THROW(parse_json(R"({"a":1,"b":2})", "wide", {.keys = 1}), LoadError);
  EXPECT_THROW(parse_json("[1,2,3]", "many", {.nodes = 3}), LoadError);
  EXPECT_THROW(parse_json("[1,2,3]", "long", {.bytes = 3}), LoadError);
  EXPECT_THROW(parse_json("[1e400]", "overflow"), LoadError);
}

}  // namespace
}  // namespace hearth
