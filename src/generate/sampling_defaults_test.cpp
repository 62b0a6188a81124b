#include "generate/sampling_defaults.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace hearth::generate {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path_(fs::path(::testing::TempDir()) / ("hearth_sampling_" + std::to_string(counter_++))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  SamplingDefaults with(const std::string& text) const {
    write_file_atomically(path_ / "generation_config.json", text);
    return read_sampling_defaults(path_);
  }
  const fs::path& path() const { return path_; }

 private:
  static inline int counter_ = 0;
  fs::path path_;
};

TEST(SamplingDefaults, TakesWhatTheFileSays) {
  const SamplingDefaults said = Folder().with(
      R"({"do_sample": true, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0.05, "repetition_penalty": 1.1})");
  EXPECT_EQ(said.temperature, 0.7f);
  EXPECT_EQ(said.top_p, 0.8f);
  EXPECT_EQ(said.top_k, 20);
  EXPECT_EQ(said.min_p, 0.05f);
  EXPECT_EQ(said.repetition_penalty, 1.1f);
}

TEST(SamplingDefaults, AreGreedyWhereNothingIsToBeSampled) {
  const SamplingDefaults off = Folder().with(
      R"({"do_sample": false, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.2})");
  EXPECT_EQ(off.temperature, 0.0f);
  EXPECT_FALSE(off.top_p || off.top_k);
  EXPECT_EQ(off.repetition_penalty, 1.2f);
  EXPECT_FALSE(Folder().with(R"({"eos_token_id": 2, "top_p": 0.9})").temperature);
}

TEST(SamplingDefaults, SampleAtOneWhereTheTemperatureIsMissing) {
  const SamplingDefaults said = Folder().with(R"({"do_sample": true, "top_k": 64})");
  EXPECT_EQ(said.temperature, 1.0f);
  EXPECT_EQ(said.top_k, 64);
  EXPECT_EQ(Folder().with(R"({"temperature": 0.15})").temperature, 0.15f);
}

TEST(SamplingDefaults, CountNullAndNeutralValuesAsOff) {
  const SamplingDefaults said =
      Folder().with(R"({"do_sample": true, "temperature": null, "top_k": -1, "repetition_penalty": 1.0})");
  EXPECT_EQ(said.temperature, 1.0f);
  EXPECT_EQ(said.top_k, 0);
  EXPECT_EQ(said.repetition_penalty, 0.0f);
}

TEST(SamplingDefaults, AreEmptyWithoutAFileThatCanBeRead) {
  const Folder folder;
  EXPECT_FALSE(read_sampling_defaults(folder.path()).temperature);
  EXPECT_FALSE(folder.with("{\"temperature\": 1,").temperature);
}

TEST(SamplingDefaults, NameTheKeyThatIsAbsurd) {
  const Folder folder;
  for (const auto& [key, value] : {std::pair{"temperature", "-1"},
                                   {"temperature", "\"hot\""},
                                   {"top_p", "1.5"},
                                   {"top_k", "2.5"},
                                   {"min_p", "[]"},
                                   {"repetition_penalty", "-2"},
                                   {"do_sample", "1"}}) {
    try {
      Json json = {{"do_sample", true}};
      json[key] = Json::parse(value);
      folder.with(json.dump());
      ADD_FAILURE() << key;
    } catch (const LoadError& error) {
      EXPECT_EQ(error.key(), key);
    }
  }
}

}  // namespace
}  // namespace hearth::generate
