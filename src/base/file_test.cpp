#include "base/file.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth {
namespace {

const std::filesystem::path kFolder = std::filesystem::temp_directory_path() / "hearth_file_test";

TEST(File, WrittenContentIsReadAndMappedBack) {
  std::filesystem::create_directories(kFolder);
  write_file_atomically(kFolder / "a", "hello");
  EXPECT_EQ(read_file(kFolder / "a"), "hello");
  const MappedFile mapped(kFolder / "a");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()), "hello");
}

TEST(File, AnUncommittedWriteLeavesNothing) {
  std::filesystem::remove_all(kFolder);
  std::filesystem::create_directories(kFolder);
  { AtomicFileWriter(kFolder / "b").write("half"); }
  EXPECT_TRUE(std::filesystem::is_empty(kFolder));
}

TEST(File, MissingFoldersAndLongFilesAreLoadErrors) {
  EXPECT_THROW(read_file(kFolder / "missing"), LoadError);
  EXPECT_THROW(MappedFile(kFolder / "missing"), LoadError);
  EXPECT_THROW(read_file("/"), LoadError);
  write_file_atomically(kFolder / "c", "12345");
  EXPECT_THROW(read_file(kFolder / "c", 4), LoadError);
}

}  // namespace
}  // namespace hearth
