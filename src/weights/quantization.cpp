#include "weights/quantization.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace hearth::weights {

namespace {

constexpr std::array kGroupSizes = {32, 64, 128};
constexpr std::array kBits = {2, 3, 4, 5, 6, 8};

template <size_t N>
void require_one_of(const ConfigReader& reader, std::string_view key, int value, const std::array<int, N>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
    reader.refuse(key, fmt::format("{} is none of {}", value, fmt::join(allowed, ", ")));
}

Quantization checked(const ConfigReader& reader, int group_size, int bits) {
  require_one_of(reader, "group_size", group_size, kGroupSizes);
  require_one_of(reader, "bits", bits, kBits);
  const std::string mode = reader.string_or("mode", "affine");
  if (mode != "affine")
    reader.refuse("mode", fmt::format("quantization mode '{}' is not supported, only affine", mode));
  return {.group_size = group_size, .bits = bits, .mode = mode};
}

}  // namespace

Quantization Quantization::of_shapes(int inputs, int words, int groups) const {
  const auto fits = [&](int size, int width) {
    return int64_t{groups} * size == inputs && int64_t{words} * 32 == int64_t{inputs} * width;
  };
  if (fits(group_size, bits)) return *this;
  for (const int size : kGroupSizes)
    for (const int width : kBits)
      if (fits(size, width)) return {.group_size = size, .bits = width, .mode = mode};
  return *this;
}

QuantizationRecipe::QuantizationRecipe(const ConfigReader& config) {
  const bool has_own_key = config.has("quantization");
  const auto recipe = config.object(has_own_key ? "quantization" : "quantization_config");
  if (!recipe || (!has_own_key && recipe->json().empty())) return;
  if (!has_own_key && recipe->has("quant_method"))
    recipe->refuse("quant_method",
                   fmt::format("'{}' is not MLX's format; convert the model first", recipe->string("quant_method")));
  global_ = checked(*recipe, recipe->integer("group_size"), recipe->integer("bits"));
  // Layers are told from settings by their values: settings are numbers and strings.
  for (const auto& [path, value] : recipe->json().items()) {
    if (value.is_boolean()) layers_[path] = value.template get<bool>() ? global_ : std::nullopt;
    const bool names_layer = path.find('.') != path.npos;
    if (names_layer && !value.is_object() && !value.is_boolean()) recipe->refuse(path, "neither an object nor false");
    if (!value.is_object()) continue;
    const ConfigReader layer = *recipe->object(path);
    // An entry that leaves one out means MLX's default, not the folder's global value.
    layers_[path] = checked(layer, layer.integer_or("group_size", 64), layer.integer_or("bits", 4));
  }
}

std::optional<Quantization> QuantizationRecipe::of_layer(std::string_view path) const {
  const auto own = layers_.find(std::string(path));
  return own == layers_.end() ? global_ : own->second;
}

}  // namespace hearth::weights
