// Where models lie on this machine: a folder, or a hub name looked up in local caches. Nothing is downloaded.
//
// Source: Hugging Face's cache layout, <hub>/models--org--name/{refs/<revision>, snapshots/<commit>/}.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hearth::weights {

// The folders to look in; an empty path is skipped. The command line fills them from the environment.
struct HubFolders {
  std::filesystem::path hearth_models;     // <data folder>/models, holding org/name or name
  std::filesystem::path hugging_face_hub;  // usually ~/.cache/huggingface/hub
};

// The folder of a model: `name_or_path` itself if that is one, else the hub name ("org/name", or "name" for a model of
// Hearth's own) in Hearth's folder, then in Hugging Face's cache at `revision` (a branch, tag or commit).
// Throws LoadError, in one line saying where it looked, when there is none; for a file, a folder of GGUF files or a
// repository's folder of the cache, saying what it is and which command takes it.
std::filesystem::path resolve_model(std::string_view name_or_path, const HubFolders& folders,
                                    std::string_view revision = "main");

}  // namespace hearth::weights
