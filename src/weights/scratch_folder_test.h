// A folder that lives as long as a test, and the fixtures of this area.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/error.h"

namespace hearth::weights {

class ScratchFolder {
 public:
  ScratchFolder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(testing::TempDir()) /
            (std::string("hearth-") + test->name() + "-" + std::to_string(::getpid()));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path testdata(const std::string& name) {
  return std::filesystem::path(HEARTH_SOURCE_DIR) / "src/weights/testdata" / name;
}

// What a LoadError thrown by `action` says; empty when there is none.
template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const LoadError& error) {
    return error.what();
  }
  return "";
}

}  // namespace hearth::weights
