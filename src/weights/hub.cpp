#include "weights/hub.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace hearth::weights {

namespace fs = std::filesystem;

namespace {

bool is_model(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "config.json", ignored);
}

// "name" or "org/name" of letters, digits, '-', '_', '.', as the hub allows; this also keeps ".." out of paths.
bool is_hub_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '/';
  };
  return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), allowed) &&
         std::count(name.begin(), name.end(), '/') <= 1 && name.front() != '/' && name.back() != '/' &&
         name.front() != '.' && name.find("..") == name.npos && name.find("/.") == name.npos;
}

// refs/<revision> holds the commit whose snapshot is meant; a commit is its own snapshot's name.
std::optional<fs::path> find_snapshot(const fs::path& hub, std::string_view name, std::string_view revision) {
  std::string folder_name = "models--";
  for (char c : name) folder_name += c == '/' ? std::string("--") : std::string(1, c);
  const fs::path repository = hub / folder_name;
  std::string commit(revision);
  std::error_code ignored;
  if (const fs::path ref = repository / "refs" / commit; fs::is_regular_file(ref, ignored)) {
    commit = read_file(ref, 200);
    while (!commit.empty() && std::isspace(static_cast<unsigned char>(commit.back()))) commit.pop_back();
  }
  if (commit.empty() || commit.find('/') != commit.npos || commit.front() == '.') return std::nullopt;
  const fs::path snapshot = repository / "snapshots" / commit;
  if (!is_model(snapshot)) return std::nullopt;
  return snapshot;
}

}  // namespace

fs::path resolve_model(std::string_view name_or_path, const HubFolders& folders, std::string_view revision) {
  const fs::path path(name_or_path);
  std::error_code ignored;
  if (!name_or_path.empty() && fs::is_directory(path, ignored)) return path;

  std::string looked = "no such folder";
  if (is_hub_name(name_or_path)) {
    if (!folders.hearth_models.empty()) {
      if (const fs::path own = folders.hearth_models / path; is_model(own)) return own;
      looked += ", nothing of that name in " + folders.hearth_models.string();
    }
    if (!folders.hugging_face_hub.empty()) {
      if (const auto snapshot = find_snapshot(folders.hugging_face_hub, name_or_path, revision)) return *snapshot;
      looked += ", no snapshot '" + std::string(revision) + "' of it in " + folders.hugging_face_hub.string();
    }
  }
  throw LoadError(name_or_path.empty() ? "model" : name_or_path, looked);
}

}  // namespace hearth::weights
