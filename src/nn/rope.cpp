// A pair i of a head turns by position / freqs[i], freqs[i] = base^(2i / dims). All scalings but `dynamic` change these
// numbers once, at load; they are computed in float64 and rounded to float32, as is every step of the formulas.
#include "nn/rope.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "ops/rope.h"

namespace hearth::nn {
namespace {

using weights::ConfigReader;

constexpr weights::FloatRange kBase{.min = 1.0001, .max = 1e15};
constexpr weights::FloatRange kFactor{.min = 1e-3, .max = 1e6};
constexpr weights::FloatRange kMscale{.min = 0.0, .max = 100.0};
constexpr weights::FloatRange kShare{.min = 0.0, .max = 1.0};
constexpr weights::IntRange kLength{.min = 1, .max = 1 << 30};

// What a scaling is made from.
struct Source {
  const ConfigReader& config;
  const ConfigReader& scaling;  // rope_scaling or rope_parameters, or the part of it for a kind of layer
  const RopeOptions& options;   // with the config's base
};

struct Scaled {
  std::vector<double> freqs;
  double mscale = 1.0;
  int context_length = 0;
};

std::vector<double> plain_freqs(int dims, double base) {
  std::vector<double> freqs(static_cast<size_t>(dims / 2));
  for (size_t i = 0; i < freqs.size(); ++i) freqs[i] = std::pow(base, 2.0 * static_cast<double>(i) / dims);
  return freqs;
}

mx::array to_array(const std::vector<double>& values) {
  const std::vector<float> rounded(values.begin(), values.end());
  return mx::array(rounded.begin(), mx::Shape{static_cast<int>(rounded.size())}, mx::float32);
}

int stretched(int length, double factor) {
  return static_cast<int>(std::min(std::max(1.0, factor) * length, static_cast<double>(kLength.max)));
}

int max_length(const Source& source) {
  if (source.options.max_position_embeddings <= 0)
    source.config.refuse("max_position_embeddings", "missing, but rope scaling needs it");
  return source.options.max_position_embeddings;
}

// The length before the stretch: the config's own key goes before the scaling's.
int original_length(const Source& source) {
  constexpr const char* kKey = "original_max_position_embeddings";
  if (const auto length = source.config.optional_integer(kKey, kLength)) return *length;
  if (const auto length = source.scaling.optional_integer(kKey, kLength)) return *length;
  return max_length(source);
}

// The stretch, or where the scaling does not say how long the context has become.
double stretch(const Source& source) {
  if (const auto factor = source.scaling.optional_number("factor", kFactor)) return *factor;
  return static_cast<double>(max_length(source)) / original_length(source);
}

void scale_linear(Scaled& scaled, const Source& source) {
  const double factor = source.scaling.number("factor", kFactor);
  for (double& freq : scaled.freqs) freq *= factor;
  scaled.context_length = stretched(scaled.context_length, factor);
}

// The first pairs turn as ever, the others not at all.
void scale_proportional(Scaled& scaled, const Source& source) {
  const double factor = source.scaling.number_or("factor", 1.0, kFactor);
  const double share = source.scaling.number_or("partial_rotary_factor",
                                                source.config.number_or("partial_rotary_factor", 1.0, kShare), kShare);
  const auto turning = static_cast<size_t>(share * source.options.dims / 2.0);
  for (size_t i = 0; i < scaled.freqs.size(); ++i)
    scaled.freqs[i] = i < turning ? scaled.freqs[i] * factor : std::numeric_limits<double>::infinity();
}

// Long waves turn `factor` times slower, short ones as ever, those between go smoothly from one to the other.
void scale_llama3(Scaled& scaled, const Source& source) {
  const ConfigReader& scaling = source.scaling;
  const double factor = scaling.number("factor", kFactor);
  const double low = scaling.number_or("low_freq_factor", 1.0, kFactor);
  const double high = scaling.number_or("high_freq_factor", 4.0, kFactor);
  if (high <= low) scaling.refuse("high_freq_factor", "must be greater than low_freq_factor");
  const double length = original_length(source);
  for (double& freq : scaled.freqs) {
    const double wavelength = 2.0 * std::numbers::pi * freq;
    if (wavelength > length / low) {
      freq *= factor;
    } else if (wavelength > length / high) {
      const double smooth = (length / wavelength - low) / (high - low);
      freq /= (1.0 - smooth) / factor + smooth;
    }
  }
}

double yarn_mscale(double factor, double mscale) { return factor <= 1.0 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0; }

// What the rotated part is multiplied by; mscale counts only where both of its numbers are there.
double yarn_attention_factor(const ConfigReader& scaling, double factor) {
  if (const auto attention_factor = scaling.optional_number("attention_factor", kFactor)) return *attention_factor;
  const double mscale = scaling.number_or("mscale", 0.0, kMscale);
  const double all_dim = scaling.number_or("mscale_all_dim", 0.0, kMscale);
  if (mscale == 0.0 || all_dim == 0.0) return yarn_mscale(factor, 1.0);
  return yarn_mscale(factor, mscale) / yarn_mscale(factor, all_dim);
}

// Turns within the original length that bound YaRN's ramp; 0 counts as absent.
double yarn_turns(const ConfigReader& scaling, std::string_view key, double by_default) {
  const double turns = scaling.number_or(key, by_default, {.min = 0.0, .max = 1e6});
  return turns == 0.0 ? by_default : turns;
}

// Pairs that turn more than beta_fast times within the original length stay, those that turn less than beta_slow times
// are stretched, with a linear ramp between.
void scale_yarn(Scaled& scaled, const Source& source) {
  const ConfigReader& scaling = source.scaling;
  if (!scaling.json().contains("factor")) scaling.refuse("factor", "missing");  // null is a way to say it
  const double factor = stretch(source);
  const int length = original_length(source);
  const int dims = source.options.dims;
  const auto pair_turning = [&](double times) {
    return dims * std::log(length / (times * 2.0 * std::numbers::pi)) / (2.0 * std::log(source.options.base));
  };
  double low = pair_turning(yarn_turns(scaling, "beta_fast", 32.0));
  double high = pair_turning(yarn_turns(scaling, "beta_slow", 1.0));
  if (scaling.boolean_or("truncate", true)) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, dims - 1.0);
  if (low == high) high += 0.001;
  for (size_t i = 0; i < scaled.freqs.size(); ++i) {
    const double stretched_share = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    scaled.freqs[i] *= factor / (factor * (1.0 - stretched_share) + stretched_share);
  }
  scaled.mscale = yarn_attention_factor(scaling, factor);
  // Configs differ in whether max_position_embeddings is the length before or behind the stretch.
  if (scaled.context_length > 0) scaled.context_length = std::max(scaled.context_length, stretched(length, factor));
}

// One stretch for each pair: the long factors where the context passes the original length, at every position, so that
// a token's numbers do not change when its sequence does; else the short ones.
void scale_longrope(Scaled& scaled, const Source& source) {
  const ConfigReader& scaling = source.scaling;
  const int length = original_length(source);
  const int longest = source.options.max_position_embeddings;
  const char* key = longest > 0 && longest <= length ? "short_factor" : "long_factor";
  const auto factors = scaling.numbers(key, kFactor);
  if (factors.size() != scaled.freqs.size()) scaling.refuse(key, "needs one number for each pair of a head");
  for (size_t i = 0; i < scaled.freqs.size(); ++i) scaled.freqs[i] *= factors[i];
  const auto attention_factor = scaling.optional_number("attention_factor", kFactor);
  const double factor = attention_factor ? 1.0 : stretch(source);
  const double shortest = std::max(length, 2);  // log(1) would be 0
  scaled.mscale =
      attention_factor.value_or(factor <= 1.0 ? 1.0 : std::sqrt(1.0 + std::log(factor) / std::log(shortest)));
}

struct Scaling {
  std::string_view type;
  void (*scale)(Scaled& scaled, const Source& source);
};

constexpr Scaling kScalings[] = {
    {"linear", scale_linear},     {"llama3", scale_llama3}, {"yarn", scale_yarn},
    {"longrope", scale_longrope}, {"su", scale_longrope},   {"proportional", scale_proportional},
};

bool has_kinds(const ConfigReader& parameters) {
  return parameters.json().contains("full_attention") || parameters.json().contains("sliding_attention");
}

// rope_scaling goes before rope_parameters; an empty object counts as absent.
std::optional<ConfigReader> rope_object(const ConfigReader& config) {
  for (const char* key : {"rope_scaling", "rope_parameters"})
    if (auto object = config.object(key); object && !object->json().empty()) return object;
  return std::nullopt;
}

std::optional<ConfigReader> parameters_of(const ConfigReader& config, std::string_view layer_type) {
  auto parameters = rope_object(config);
  if (!parameters || !has_kinds(*parameters)) return parameters;
  auto part = parameters->object(layer_type);
  if (!part) parameters->refuse(layer_type, "missing, but there are layers of this kind");
  return part;
}

// Families here turn whole heads: transformers ignores a smaller share where nothing is scaled, and cannot run it
// elsewhere.
void require_whole_heads(const Source& source) {
  for (const ConfigReader* reader : {&source.scaling, &source.config}) {
    const auto share = reader->optional_number("partial_rotary_factor", kShare);
    if (share && static_cast<int>(*share * source.options.dims) != source.options.dims)
      reader->refuse("partial_rotary_factor", "heads that turn in part cannot be scaled in this way");
    if (share) return;
  }
}

}  // namespace

Rope::Rope(const RopeOptions& options)
    : options_(options),
      context_length_(options.max_position_embeddings),
      freqs_(to_array(plain_freqs(options.dims, options.base))) {}

bool Rope::depends_on_layer_type(const ConfigReader& config) {
  const auto parameters = rope_object(config);
  return parameters && has_kinds(*parameters);
}

Rope Rope::from_config(const ConfigReader& config, const RopeOptions& given, std::string_view layer_type) {
  RopeOptions options = given;
  const auto scaling = parameters_of(config, layer_type);
  options.base = config.number_or("rope_theta", options.base, kBase);
  if (scaling) options.base = scaling->number_or("rope_theta", options.base, kBase);

  Rope rope(options);
  const std::string type = scaling ? scaling->string_or("rope_type", scaling->string_or("type", "default")) : "default";
  if (type == "default") return rope;
  const Source source{config, *scaling, options};
  if (type != "proportional") require_whole_heads(source);
  if (type == "dynamic") {
    rope.set_dynamic(*scaling, max_length(source));
    return rope;
  }
  const auto* found = std::ranges::find(kScalings, type, &Scaling::type);
  if (found == std::end(kScalings))
    scaling->refuse(scaling->has("rope_type") ? "rope_type" : "type", "\"" + type + "\" is not a scaling known here");
  Scaled scaled{.freqs = plain_freqs(options.dims, options.base), .context_length = options.max_position_embeddings};
  found->scale(scaled, source);
  rope.freqs_ = to_array(scaled.freqs);
  rope.mscale_ = static_cast<float>(scaled.mscale);
  rope.context_length_ = scaled.context_length;
  return rope;
}

void Rope::set_dynamic(const ConfigReader& scaling, int length) {
  if (options_.dims <= 2) scaling.refuse("rope_type", "dynamic scaling needs heads of more than 2 numbers");
  dynamic_ = Dynamic{options_.base, scaling.number("factor", {.min = 1.0, .max = 1e6}), length};
  context_length_ = stretched(length, dynamic_->factor);
}

mx::array Rope::dynamic_freqs(const mx::array& positions) const {
  // base_p = base * (factor * length_p / length - (factor - 1))^(dims / (dims - 2)), freqs = base_p^(2i / dims),
  // through logarithms: the plain base's are scaled by the growth to the power 2i / dims.
  const auto& [base, factor, length] = *dynamic_;
  const float dims = static_cast<float>(options_.dims);
  const mx::array length_here = mx::maximum(mx::add(positions, mx::array(1)), mx::array(length));
  const mx::array growth =
      mx::subtract(mx::multiply(mx::astype(length_here, mx::float32), mx::array(static_cast<float>(factor / length))),
                   mx::array(static_cast<float>(factor - 1.0)));
  std::vector<double> exponents(static_cast<size_t>(options_.dims / 2));
  for (size_t i = 0; i < exponents.size(); ++i) exponents[i] = 2.0 * static_cast<double>(i) / (dims - 2.0f);
  const mx::array powers = mx::multiply(mx::expand_dims(mx::log(growth), 1), to_array(exponents));
  return mx::multiply(mx::exp(powers), freqs_);
}

Rope::Step Rope::at(const mx::array& positions) const {
  return {positions, dynamic_ ? dynamic_freqs(positions) : freqs_};
}

mx::array Rope::operator()(const mx::array& x, const Step& step) const {
  return ops::rope(x, step.positions, step.freqs, options_.traditional, mscale_);
}

}  // namespace hearth::nn
