#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace hearth {

namespace {

// Owns a descriptor for the length of one function.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  throw LoadError(path.string(), std::string(what) + ": " + std::strerror(errno));
}

// What a clone without git-lfs leaves in a file's place.
bool is_lfs_pointer(int fd, size_t size) {
  constexpr std::string_view kBegin = "version https://git-lfs.github.com/spec/v1";
  constexpr size_t kLongest = 1024;  // by its specification
  char text[kBegin.size()];
  return size < kLongest && ::pread(fd, text, sizeof(text), 0) == static_cast<ssize_t>(sizeof(text)) &&
         std::string_view(text, sizeof(text)) == kBegin;
}

// Opens a regular file for reading and gives its size. Pipes and devices are refused: they have no end to trust.
Descriptor open_regular(const std::filesystem::path& path, size_t& size) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) fail(path, "cannot open");
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) fail(path, "cannot stat");
  if (!S_ISREG(info.st_mode)) throw LoadError(path.string(), "not a regular file");
  size = static_cast<size_t>(info.st_size);
  if (is_lfs_pointer(file.fd, size))
    throw LoadError(path.string(),
                    "only a Git LFS pointer; the file itself was not downloaded (git lfs pull fetches it)");
  return Descriptor{std::exchange(file.fd, -1)};
}

}  // namespace

std::string read_file(const std::filesystem::path& path, size_t max_bytes) {
  size_t size = 0;
  Descriptor file = open_regular(path, size);
  if (size > max_bytes) throw LoadError(path.string(), "larger than " + std::to_string(max_bytes) + " bytes");
  std::string content(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(file.fd, content.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "cannot read");
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  content.resize(done);
  return content;
}

bool is_present(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::symlink_status(path, error).type() != std::filesystem::file_type::not_found;
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  AtomicFileWriter writer(path);
  writer.write(content);
  writer.commit();
}

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  Descriptor file = open_regular(path, size_);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) fail(path, "cannot map");
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

AtomicFileWriter::AtomicFileWriter(const std::filesystem::path& path) : path_(path) {
  static std::atomic<uint64_t> number = 0;
  do {
    temporary_ = path.string() + ".tmp" + std::to_string(::getpid()) + "-" + std::to_string(number++);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  } while (fd_ < 0 && errno == EEXIST && number < 10'000);  // of a process that had this number and was killed
  if (fd_ < 0) fail(path_, "cannot create");
}

AtomicFileWriter::~AtomicFileWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFileWriter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path_, "cannot write");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void AtomicFileWriter::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFileWriter::commit() {
  if (::fsync(fd_) != 0) fail(path_, "cannot sync");
  const int closed = ::close(std::exchange(fd_, -1));
  if (closed != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int why = errno;
    ::unlink(temporary_.c_str());
    errno = why;
    fail(path_, "cannot finish writing");
  }
}

}  // namespace hearth
