#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
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

// What Python's json.loads says of each text.
TEST(Json, ReadsPythonsConstantsWhereAsked) {
  const Json value = parse_json(R"({"NaN": [NaN, Infinity,-Infinity], "a": "NaN, \"Infinity", "b": 1e9})", "f", {});
  EXPECT_TRUE(std::isnan(value["NaN"][0].get<double>()));
  EXPECT_EQ(value["NaN"][1], std::numeric_limits<double>::infinity());
  EXPECT_EQ(value["NaN"][2], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(value["a"], "NaN, \"Infinity");
  EXPECT_EQ(value["b"], 1e9);
  EXPECT_TRUE(std::isnan(parse_json("NaN", "f", {}).get<double>()));
}

TEST(Json, RefusesWhatOnlyLooksLikePythonsConstants) {
  for (const char* text :
       {"-NaN", "[1NaN]", "[NaN1]", "[nan]", "[inf]", "[Infinit]", "[Infinity9]", "[- Infinity]", "[+Infinity]",
        "[1e-Infinity]", "[1-Infinity]", "[--Infinity]", "{NaN: 1}", "[NaN NaN]", "[NaN.0]", "\"NaN"})
    EXPECT_THROW(parse_json(text, "f", {}), LoadError) << text;
  EXPECT_THROW(parse_json("[NaN]", "request"), LoadError);
}

TEST(Json, NamesTheByteOfTheTextAsItWas) {
  for (const char* text : {"[NaN, Infinity, x]", "[nul, NaNNaN, x___]"}) {
    std::string with, without;
    try {
      parse_json(text, "f", {});
    } catch (const LoadError& e) {
      with = e.what();
    }
    EXPECT_EQ(with, "f: not valid JSON at byte " + std::string(text[1] == 'N' ? "17" : "5"));
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
