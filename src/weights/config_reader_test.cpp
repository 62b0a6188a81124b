#include "weights/config_reader.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "weights/scratch_folder_test.h"

namespace hearth::weights {
namespace {

using testing::ElementsAre;

const char* const kText = R"({
  "layers": 30, "float_count": 4096.0, "huge": 1e18, "bigger": 18446744073709551615, "negative": -1, "text": "32",
  "flag": true, "theta": 1e4, "none": null, "list": [1, 2], "mixed": [1, "2"], "nested": {"factor": 8, "bad": [ ]}})";

class ConfigReaderTest : public testing::Test {
 protected:
  Json json_ = parse_json(kText, "x/config.json");
  ConfigReader reader_{json_, "x/config.json"};
};

TEST_F(ConfigReaderTest, ReadsNumbersOfEitherSpelling) {
  EXPECT_EQ(reader_.integer("layers"), 30);
  EXPECT_EQ(reader_.integer("float_count"), 4096);
  EXPECT_EQ(reader_.number("layers"), 30.0);
  EXPECT_EQ(reader_.number("theta"), 10000.0);
}

TEST_F(ConfigReaderTest, TakesNullForAbsent) {
  EXPECT_FALSE(reader_.has("none"));
  EXPECT_EQ(reader_.integer_or("none", 7), 7);
  EXPECT_EQ(reader_.optional_number("none"), std::nullopt);
  EXPECT_EQ(reader_.object("none").has_value(), false);
  EXPECT_EQ(reader_.string_or("absent", "x"), "x");
  EXPECT_TRUE(reader_.integers("absent").empty());
}

TEST_F(ConfigReaderTest, RefusesAbsurdValuesNamingFileAndKey) {
  EXPECT_EQ(refusal([&] { reader_.integer("absent"); }), "x/config.json: absent: missing");
  EXPECT_EQ(refusal([&] { reader_.integer("huge"); }),
            "x/config.json: huge: 1e+18 is not a whole number from 1 to 16777216");
  EXPECT_EQ(refusal([&] { reader_.integer("bigger"); }),
            "x/config.json: bigger: 18446744073709551615 is not a whole number from 1 to 16777216");
  EXPECT_EQ(refusal([&] { reader_.integer("negative"); }),
            "x/config.json: negative: -1 is not a whole number from 1 to 16777216");
  EXPECT_EQ(refusal([&] { reader_.integer("text"); }), "x/config.json: text: \"32\" is not a whole number");
  EXPECT_EQ(refusal([&] { reader_.integer("flag"); }), "x/config.json: flag: true is not a whole number");
  EXPECT_EQ(refusal([&] { reader_.number("theta", {.max = 100}); }),
            "x/config.json: theta: 10000.0 is not a number from -1e+30 to 100");
  EXPECT_EQ(refusal([&] { reader_.boolean("layers"); }), "x/config.json: layers: 30 is neither true nor false");
  EXPECT_EQ(refusal([&] { reader_.string("layers"); }), "x/config.json: layers: 30 is not a string");
}

TEST_F(ConfigReaderTest, RefusesNumbersThatAreNone) {
  const Json json = {{"nan", std::numeric_limits<double>::quiet_NaN()}, {"infinity", INFINITY}};
  const ConfigReader reader(json, "c");
  EXPECT_NE(refusal([&] { reader.number("nan"); }), "");
  EXPECT_NE(refusal([&] { reader.number("infinity"); }), "");
  EXPECT_NE(refusal([&] { reader.integer("nan"); }), "");
}

TEST_F(ConfigReaderTest, ReadsArraysAndNestedObjects) {
  EXPECT_THAT(reader_.integers("list"), ElementsAre(1, 2));
  EXPECT_EQ(refusal([&] { reader_.integers("mixed"); }), "x/config.json: mixed: \"2\" is not a whole number");
  EXPECT_EQ(reader_.object("nested")->number("factor"), 8.0);
  EXPECT_EQ(refusal([&] { reader_.object("nested")->integer("bad"); }),
            "x/config.json: nested.bad: an array is not a whole number");
  EXPECT_EQ(refusal([&] { reader_.object("list"); }), "x/config.json: list: an array is not an object");
}

}  // namespace
}  // namespace hearth::weights
