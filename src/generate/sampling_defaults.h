// How a model's makers mean it to be sampled: what its generation_config.json says.
//
// Source: transformers' GenerationConfig. Unlike there, a temperature alone asks for sampling too, and numbers that the
//         file does not have stay off.
#pragma once

#include <filesystem>
#include <optional>

namespace hearth::generate {

// Nothing: the file does not say.
struct SamplingDefaults {
  std::optional<float> temperature = {};  // 0, the likeliest token, where do_sample is false
  std::optional<float> top_p = {};
  std::optional<int> top_k = {};  // 0: all
  std::optional<float> min_p = {};
  std::optional<float> repetition_penalty = {};  // over the whole prompt and answer; 0: off
};

// Of the model in `folder`. Empty without the file, and where it is no JSON. Throws LoadError naming file and key when
// a value is absurd.
SamplingDefaults read_sampling_defaults(const std::filesystem::path& folder);

}  // namespace hearth::generate
