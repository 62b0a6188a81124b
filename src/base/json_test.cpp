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
