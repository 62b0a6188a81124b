#include "base/python_format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace hearth {
namespace {

// The right-hand sides were printed by Python 3.11.

TEST(PythonFormat, WritesFloatsAsReprDoes) {
  const std::pair<double, const char*> kCases[] = {{0.0, "0.0"},
                                                   {-0.0, "-0.0"},
                                                   {1.0, "1.0"},
                                                   {0.1, "0.1"},
                                                   {1e15, "1000000000000000.0"},
                                                   {1e16, "1e+16"},
                                                   {9999999999999998.0, "9999999999999998.0"},
                                                   {123456789012345680.0, "1.2345678901234568e+17"},
                                                   {0.0001, "0.0001"},
                                                   {0.00001, "1e-05"},
                                                   {0.00012345, "0.00012345"},
                                                   {1.5e-7, "1.5e-07"},
                                                   {1e100, "1e+100"},
                                                   {5e-324, "5e-324"},
                                                   {1.7976931348623157e308, "1.7976931348623157e+308"},
                                                   {2.5, "2.5"},
                                                   {1.0 / 3, "0.3333333333333333"},
                                                   {100.0, "100.0"},
                                                   {-1e-5, "-1e-05"},
                                                   {1e22, "1e+22"},
                                                   {12345.678, "12345.678"}};
  for (const auto& [value, text] : kCases) EXPECT_EQ(python_repr_float(value), text);
  EXPECT_EQ(python_repr_float(INFINITY), "inf");
  EXPECT_EQ(python_repr_float(-INFINITY), "-inf");
  EXPECT_EQ(python_repr_float(NAN), "nan");
  EXPECT_EQ(python_json_float(-INFINITY), "-Infinity");
  EXPECT_EQ(python_json_float(NAN), "NaN");
}

TEST(PythonFormat, DumpsJsonWithPythonsSeparators) {
  const Json value = Json::parse(R"({"b": [1, 2.0, null, true], "a": {"x": "é\n\u2028"}, "e": [], "o": {}})");
  EXPECT_EQ(python_json_dumps(value), R"({"b": [1, 2.0, null, true], "a": {"x": "\u00e9\n\u2028"}, "e": [], "o": {}})");
  EXPECT_EQ(python_json_dumps(value, {.ensure_ascii = false, .sort_keys = true}),
            "{\"a\": {\"x\": \"é\\n\u2028\"}, \"b\": [1, 2.0, null, true], \"e\": [], \"o\": {}}");
  EXPECT_EQ(python_json_dumps(value, {.item_separator = ",", .key_separator = ":"}),
            R"({"b":[1,2.0,null,true],"a":{"x":"\u00e9\n\u2028"},"e":[],"o":{}})");
  EXPECT_EQ(
      python_json_dumps(value, {.indent = "  "}),
      "{\n  \"b\": [\n    1,\n    2.0,\n    null,\n    true\n  ],\n  \"a\": {\n    \"x\": \"\\u00e9\\n\\u2028\"\n  },\n"
      "  \"e\": [],\n  \"o\": {}\n}");
}

TEST(PythonFormat, EscapesJsonStringsAsPythonDoes) {
  std::string out;
  append_json_string(out, "\"\\/\b\f\n\r\t\x01\x7f😀", true);
  EXPECT_EQ(out, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\\ud83d\\ude00\"");
}

TEST(PythonFormat, WritesStringsAsReprDoes) {
  const std::pair<const char*, const char*> kCases[] = {{"a", "'a'"},           {"it's", "\"it's\""},
                                                        {"'\"", "'\\'\"'"},     {"\\\n\t\r", "'\\\\\\n\\t\\r'"},
                                                        {"é", "'é'"},           {"\x7f", "'\\x7f'"},
                                                        {"\u00a0", "'\\xa0'"},  {"\u2028", "'\\u2028'"},
                                                        {"😀", "'😀'"},           {"\U000e0001", "'\\U000e0001'"},
                                                        {"\u0378", "'\\u0378'"}};
  for (const auto& [text, repr] : kCases) {
    std::string out;
    append_python_repr(out, text);
    EXPECT_EQ(out, repr);
  }
}

TEST(PythonFormat, PrintsJsonAsPythonPrintsWhatItLoads) {
  const Json value = Json::parse(R"([null, true, 1, 1e16, "a", {"k": [false]}])");
  EXPECT_EQ(python_repr(value), "[None, True, 1, 1e+16, 'a', {'k': [False]}]");
  EXPECT_EQ(python_str(Json("a")), "a");
}

}  // namespace
}  // namespace hearth
