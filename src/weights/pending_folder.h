// A folder being written under a temporary name.
#pragma once

#include <filesystem>
#include <system_error>

namespace hearth::weights {

// A folder that becomes `path` on commit() and vanishes otherwise: beside it; or, where `path` is an empty folder
// already, inside it, since that may be where a volume is mounted or a user stands.
class PendingFolder {
 public:
  // Throws LoadError when `path` is there and not an empty folder, or cannot be made.
  explicit PendingFolder(const std::filesystem::path& path);
  ~PendingFolder();
  PendingFolder(const PendingFolder&) = delete;
  PendingFolder& operator=(const PendingFolder&) = delete;

  // Where to write meanwhile.
  const std::filesystem::path& temporary() const { return temporary_; }

  // Throws LoadError when the folder cannot get its name.
  void commit();

 private:
  void move_up(std::error_code& error);

  std::filesystem::path path_, temporary_;
  bool inside_ = false;
};

}  // namespace hearth::weights
