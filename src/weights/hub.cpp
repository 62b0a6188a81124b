#include "weights/hub.h"

#include <algorithm>
#include <cctype>
#include <fstream>
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

// The snapshot of a repository of Hugging Face's cache: refs/<revision> holds the commit whose snapshot is meant; a
// commit is its own snapshot's name.
std::optional<fs::path> snapshot_of(const fs::path& repository, std::string_view revision) {
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

std::optional<fs::path> find_snapshot(const fs::path& hub, std::string_view name, std::string_view revision) {
  std::string folder_name = "models--";
  for (char c : name) folder_name += c == '/' ? std::string("--") : std::string(1, c);
  return snapshot_of(hub / folder_name, revision);
}

// The entries of a folder that satisfy a condition, sorted; at most so many of a folder of any size are looked at.
template <typename Condition>
std::vector<fs::path> entries(const fs::path& folder, Condition&& condition) {
  constexpr int kMost = 10'000;
  std::vector<fs::path> found;
  std::error_code error;
  int looked = 0;
  for (fs::directory_iterator at(folder, error), end; !error && at != end && looked < kMost;
       at.increment(error), ++looked)
    if (condition(at->path())) found.push_back(at->path());
  std::sort(found.begin(), found.end());
  return found;
}

bool names_gguf(const fs::path& path) { return path.extension() == ".gguf"; }

bool begins_as_gguf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  return file.read(magic, sizeof(magic)) && std::string_view(magic, sizeof(magic)) == "GGUF";
}

std::string quoted(const fs::path& path) {
  const std::string text = path.string();
  return text.find(' ') == text.npos ? text : "'" + text + "'";
}

std::string how_to_convert(const fs::path& gguf) {
  return "hearth convert --gguf " + quoted(gguf) + " --mlx-path " + quoted(gguf.stem()) + " makes a model folder of it";
}

// What a file is that was given for a model's folder.
std::string about_file(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return "not a folder";
  if (names_gguf(file) || begins_as_gguf(file)) return "a GGUF file; " + how_to_convert(file);
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const std::string kind = file.extension() == ".safetensors" ? "a file of weights" : "a file";
  if (is_model(folder)) return kind + ", not a model's folder; --model " + quoted(folder) + " is that";
  return kind + ", not a model's folder, and no config.json lies beside it";
}

// What a folder without config.json is, where that can be told; "" otherwise: opening it says what is missing.
std::string about_folder(const fs::path& folder) {
  std::error_code ignored;
  if (fs::is_directory(folder / "snapshots", ignored)) {
    auto snapshot = snapshot_of(folder, "main");
    const auto all = entries(folder / "snapshots", is_model);
    if (!snapshot && !all.empty()) snapshot = all.front();
    const std::string kind = "a repository's folder of Hugging Face's cache; ";
    if (!snapshot) return kind + "none of its snapshots has a config.json: the model was not downloaded";
    return kind + "the model is its snapshot: --model " + quoted(*snapshot);
  }
  const auto ggufs = entries(folder, names_gguf);
  return ggufs.empty() ? "" : "holds no config.json but GGUF; " + how_to_convert(ggufs.front());
}

}  // namespace

fs::path resolve_model(std::string_view name_or_path, const HubFolders& folders, std::string_view revision) {
  const fs::path path(name_or_path);
  std::error_code ignored;
  if (!name_or_path.empty() && fs::is_directory(path, ignored)) {
    const std::string about = is_model(path) ? "" : about_folder(path);
    if (!about.empty()) throw LoadError(name_or_path, about);
    return path;
  }
  if (!name_or_path.empty() && fs::exists(path, ignored)) throw LoadError(name_or_path, about_file(path));

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
