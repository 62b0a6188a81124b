#include "weights/pending_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace hearth::weights {

namespace fs = std::filesystem;

PendingFolder::PendingFolder(const fs::path& path) : path_(path) {
  std::error_code error;
  if (path_.empty()) throw LoadError("--mlx-path", "names no folder");
  if (path_.filename().empty()) path_ = path_.parent_path();  // "model/"
  inside_ = fs::is_directory(path_, error) && fs::is_empty(path_, error);
  if (!inside_ && is_present(path_)) throw LoadError(path_.string(), "exists already");
  const std::string end = fmt::format("{}.partial", ::getpid());
  temporary_ = inside_ ? path_ / ("." + end) : path_.parent_path() / ("." + path_.filename().string() + "." + end);
  fs::remove_all(temporary_, error);
  if (!fs::create_directories(temporary_, error))
    throw LoadError(path_.string(), fmt::format("cannot create {}: {}", temporary_.string(), error.message()));
}

PendingFolder::~PendingFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void PendingFolder::commit() {
  std::error_code error;
  if (inside_) {
    move_up(error);
  } else {
    fs::rename(temporary_, path_, error);
  }
  if (error) throw LoadError(path_.string(), "cannot give the finished folder its name: " + error.message());
  if (!inside_) temporary_.clear();
}

// config.json last: without it a folder is no model.
void PendingFolder::move_up(std::error_code& error) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(temporary_, error)) names.push_back(entry.path().filename());
  std::partition(names.begin(), names.end(), [](const std::string& name) { return name != "config.json"; });
  for (const std::string& name : names)
    if (!error) fs::rename(temporary_ / name, path_ / name, error);
}

}  // namespace hearth::weights
