// Files: read whole, mapped (Git LFS pointers are refused), or written so that no crash leaves half of one in place.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace hearth {

// Whether there is something under this name, be it a link that leads nowhere: who goes on to read it hears of that.
bool is_present(const std::filesystem::path& path);

// The whole file. Throws LoadError when it cannot be read or is longer than `max_bytes`.
std::string read_file(const std::filesystem::path& path, size_t max_bytes = size_t{1} << 32);

// Writes to a temporary name beside `path`, syncs, renames over it. Throws LoadError naming the path.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

// A file mapped read-only. Pages come in as they are touched.
// Lifetime: pointers into bytes() end with the object.
class MappedFile {
 public:
  // Throws LoadError when the file cannot be opened or mapped. An empty file gives empty bytes().
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// A file being written under a temporary name; commit() syncs it and gives it its final one. Without commit() it goes.
class AtomicFileWriter {
 public:
  explicit AtomicFileWriter(const std::filesystem::path& path);
  ~AtomicFileWriter();
  AtomicFileWriter(const AtomicFileWriter&) = delete;
  AtomicFileWriter& operator=(const AtomicFileWriter&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  int fd_ = -1;
};

}  // namespace hearth
