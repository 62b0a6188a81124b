#include "base/huge_pages.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/file.h"

namespace hearth {
namespace {

class HugePages : public testing::Test {
 protected:
  static constexpr size_t kSize = (size_t{7} << 20) + 123;

  HugePages() : path_(std::filesystem::temp_directory_path() / ("hearth_huge_" + std::to_string(::getpid()))) {
    std::vector<char> content(kSize);
    for (size_t i = 0; i < kSize; ++i) content[i] = static_cast<char>(value(i));
    std::ofstream(path_, std::ios::binary).write(content.data(), static_cast<std::streamsize>(kSize));
  }
  ~HugePages() override { std::filesystem::remove(path_); }

  static std::byte value(size_t i) { return static_cast<std::byte>(i * 2654435761u >> 13); }
  static bool is_intact(std::span<const std::byte> bytes) {
    for (size_t i = 0; i < bytes.size(); ++i)
      if (bytes[i] != value(i)) return false;
    return true;
  }
  // Sets every byte of the file itself to zero.
  void blank_file() const {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    const std::vector<char> zeros(kSize);
    file.write(zeros.data(), static_cast<std::streamsize>(kSize));
  }

  std::filesystem::path path_;
};

TEST_F(HugePages, KeepBytesForThreadsThatReadMeanwhile) {
  const MappedFile file(path_);
  std::atomic<bool> done = false, intact = true;
  std::jthread reader([&] {
    while (!done) intact = intact && is_intact(file.bytes());
  });
  move_to_huge_pages(file.bytes());
  done = true;
  reader.join();
  EXPECT_TRUE(intact);
  EXPECT_TRUE(is_intact(file.bytes()));
}

TEST_F(HugePages, HoldWholeBlocksThatNoLongerFollowTheFile) {
  if (!has_huge_pages()) GTEST_SKIP() << "this system has none";
  const MappedFile file(path_);
  const size_t moved = move_to_huge_pages(file.bytes());
  EXPECT_GE(moved, size_t{4} << 20);
  blank_file();
  size_t kept = 0;
  for (size_t i = 0; i < kSize; ++i) kept += file.bytes()[i] == value(i) && value(i) != std::byte{0};
  EXPECT_GE(kept, moved / 256 * 250);
}

TEST_F(HugePages, StopBetweenBlocks) {
  const MappedFile file(path_);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(move_to_huge_pages(file.bytes(), stop.get_token()), 0u);
  EXPECT_TRUE(is_intact(file.bytes()));
}

TEST(HugePagesOfNothing, AreNone) {
  EXPECT_EQ(move_to_huge_pages({}), 0u);
  const std::byte few[3] = {};
  EXPECT_EQ(move_to_huge_pages(few), 0u);
}

TEST(AvailableMemory, IsSomething) { EXPECT_GT(available_memory(), size_t{1} << 20); }

}  // namespace
}  // namespace hearth
