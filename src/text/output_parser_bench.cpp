// What one generated token costs the parser of a format: the answers of the test's vectors in pieces of four bytes, the
// making of each parser included. Run from the repository's root, or name the vectors in HEARTH_VECTORS.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "text/output_parser.h"

namespace hearth::text {
namespace {

struct Vectors {
  Json tools;
  std::map<std::string, std::vector<std::string>> answers;  // by format
};

Vectors read_vectors() {
  const char* path = std::getenv("HEARTH_VECTORS");
  std::istringstream lines(read_file(path != nullptr ? path : "src/text/testdata/output_vectors.jsonl"));
  Vectors vectors;
  std::string line;
  std::getline(lines, line);
  vectors.tools = parse_json(line, "vectors")["tools"];
  while (std::getline(lines, line)) {
    const Json vector = parse_json(line, "vectors");
    vectors.answers[vector["format"].get<std::string>()].push_back(vector["text"].get<std::string>());
  }
  return vectors;
}

const Vectors& vectors() {
  static const Vectors read = read_vectors();
  return read;
}

void parse_answers(benchmark::State& state, const std::string& format_name) {
  constexpr size_t kTokenBytes = 4;
  const OutputFormat format = output_format(format_name);
  int64_t tokens = 0;
  for (auto _ : state) {
    for (const std::string& answer : vectors().answers.at(format_name)) {
      OutputParser parser(format, {.tools = &vectors().tools});
      const std::string_view text = answer;
      for (size_t at = 0; at < text.size(); at += kTokenBytes, ++tokens)
        benchmark::DoNotOptimize(parser.feed(text.substr(at, kTokenBytes)));
      benchmark::DoNotOptimize(parser.finish());
    }
  }
  state.SetItemsProcessed(tokens);
  state.counters["s/token"] =
      benchmark::Counter(static_cast<double>(tokens), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

const bool registered = [] {
  for (const std::string& name : output_format_names())
    benchmark::RegisterBenchmark(("ParseAnswers/" + name).c_str(), parse_answers, name);
  return true;
}();

}  // namespace
}  // namespace hearth::text
