#include "generate/sampling_defaults.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "weights/config_reader.h"

namespace hearth::generate {
namespace {

std::optional<float> number(const weights::ConfigReader& config, const char* key, double most) {
  const auto value = config.optional_number(key, {.min = 0.0, .max = most});
  return value ? std::optional(static_cast<float>(*value)) : std::nullopt;
}

SamplingDefaults read(const weights::ConfigReader& config) {
  SamplingDefaults result;
  result.repetition_penalty = number(config, "repetition_penalty", 100);
  if (result.repetition_penalty == 1.0f) result.repetition_penalty = 0.0f;
  result.temperature = number(config, "temperature", 1000);
  const bool sample = config.boolean_or("do_sample", result.temperature.has_value());
  if (!sample) {
    if (config.has("do_sample")) result.temperature = 0.0f;
    return result;
  }
  if (!result.temperature) result.temperature = 1.0f;
  result.top_p = number(config, "top_p", 1);
  result.min_p = number(config, "min_p", 1);
  if (const auto top_k = config.optional_integer("top_k", {.min = -1})) result.top_k = std::max(*top_k, 0);
  return result;
}

}  // namespace

SamplingDefaults read_sampling_defaults(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "generation_config.json";
  if (!std::filesystem::is_regular_file(path)) return {};
  Json json;
  try {
    json = load_json(path, {.depth = 32, .keys = 8192, .nodes = 200'000, .bytes = 16u << 20});
  } catch (const LoadError&) {  // opening the model has dealt with that
    return {};
  }
  return read(weights::ConfigReader(json, path.string()));
}

}  // namespace hearth::generate
