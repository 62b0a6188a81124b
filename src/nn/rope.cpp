// A pair i of a head turns by position / freqs[i], freqs[i] = base^(2i / dims). All scalings but `dynamic` change these
// numbers once, at load; they are computed in float64 and rounded to float32, as is every step of the formulas.
#include "nn/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ops/rope.h"

namespace hearth::nn {
namespace {

using weights::ConfigReader;

constexpr weights::FloatRange kFactor{.min = 1e-3, .max = 1e6};
constexpr weights::IntRange kLength{.min = 1, .max = 1 << 30};

std::vector<double> plain_freqs(int dims, double base) {
  std::vector<double> freqs(static_cast<size_t>(dims / 2));
  for (size_t i = 0; i < freqs.size(); ++i) freqs[i] = std::pow(base, 2.0 * static_cast<double>(i) / dims);
  return freqs;
}

mx::array to_array(const std::vector<double>& values) {
  const std::vector<float> rounded(values.begin(), values.end());
  return mx::array(rounded.begin(), mx::Shape{static_cast<int>(rounded.size())}, mx::float32);
}

// Long waves turn `factor` times slower, short ones as ever, those between go smoothly from one to the other.
void scale_llama3(std::vector<double>& freqs, const ConfigReader& scaling) {
  const double factor = scaling.number("factor", kFactor);
  const double low = scaling.number_or("low_freq_factor", 1.0, kFactor);
  const double high = scaling.number_or("high_freq_factor", 4.0, kFactor);
  const double length = scaling.integer_or("original_max_position_embeddings", 8192, kLength);
  if (high <= low) scaling.refuse("high_freq_factor", "must be greater than low_freq_factor");
  for (double& freq : freqs) {
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

// Pairs that turn more than beta_fast times within the original length stay, those that turn less than beta_slow times
// are stretched, with a linear ramp between. Returns what the rotated part is multiplied by.
float scale_yarn(std::vector<double>& freqs, const ConfigReader& scaling, const RopeOptions& options) {
  const double factor = scaling.number("factor", kFactor);
  const double length = scaling.integer_or("original_max_position_embeddings", 4096, kLength);
  const double beta_fast = scaling.number_or("beta_fast", 32.0, kFactor);
  const double beta_slow = scaling.number_or("beta_slow", 1.0, kFactor);
  const auto pair_turning = [&](double times) {
    return options.dims * std::log(length / (times * 2.0 * std::numbers::pi)) / (2.0 * std::log(options.base));
  };
  const double low = std::max(std::floor(pair_turning(beta_fast)), 0.0);
  double high = std::min(std::ceil(pair_turning(beta_slow)), options.dims - 1.0);
  if (low == high) high += 0.001;
  for (size_t i = 0; i < freqs.size(); ++i) {
    const double stretched = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    freqs[i] *= factor / (factor * (1.0 - stretched) + stretched);
  }
  if (const auto attention_factor = scaling.optional_number("attention_factor", kFactor)) {
    return static_cast<float>(*attention_factor);
  }
  return static_cast<float>(yarn_mscale(factor, scaling.number_or("mscale", 1.0, {.min = 0.0, .max = 100.0})) /
                            yarn_mscale(factor, scaling.number_or("mscale_all_dim", 0.0, {.min = 0.0, .max = 100.0})));
}

// One stretch for each pair. The long factors hold at every length, so that a token's numbers do not change when its
// sequence passes the original length. Returns what the rotated part is multiplied by.
float scale_longrope(std::vector<double>& freqs, const ConfigReader& config, const ConfigReader& scaling,
                     const RopeOptions& options) {
  const auto factors = scaling.numbers("long_factor", kFactor);
  if (factors.size() != freqs.size()) scaling.refuse("long_factor", "needs one number for each pair of a head");
  for (size_t i = 0; i < freqs.size(); ++i) freqs[i] *= factors[i];
  const auto nested = scaling.optional_integer("original_max_position_embeddings", kLength);
  const double length = nested ? *nested : config.integer("original_max_position_embeddings", kLength);
  if (const auto attention_factor = scaling.optional_number("attention_factor", kFactor)) {
    return static_cast<float>(*attention_factor);
  }
  const double longer = options.max_position_embeddings / length;
  return longer <= 1.0 ? 1.0f : static_cast<float>(std::sqrt(1.0 + std::log(longer) / std::log(length)));
}

int stretched(int length, double factor) {
  return static_cast<int>(std::min(std::max(1.0, factor) * length, static_cast<double>(kLength.max)));
}

std::string type_of(const ConfigReader& scaling) {
  return scaling.string_or("type", scaling.string_or("rope_type", "default"));
}

}  // namespace

Rope::Rope(const RopeOptions& options)
    : options_(options),
      context_length_(options.max_position_embeddings),
      freqs_(to_array(plain_freqs(options.dims, options.base))) {}

Rope Rope::from_config(const ConfigReader& config, const RopeOptions& given) {
  RopeOptions options = given;
  const auto parameters = config.object("rope_parameters");
  const auto scaling = config.has("rope_scaling") ? config.object("rope_scaling") : parameters;
  constexpr weights::FloatRange kBase{.min = 1.0001, .max = 1e15};
  if (parameters) options.base = parameters->number_or("rope_theta", options.base, kBase);
  options.base = config.number_or("rope_theta", options.base, kBase);

  Rope rope(options);
  if (!scaling) return rope;
  std::vector<double> freqs = plain_freqs(options.dims, options.base);
  const std::string type = type_of(*scaling);
  if (type == "default") {
    return rope;
  } else if (type == "linear") {
    const double factor = scaling->number("factor", kFactor);
    for (double& freq : freqs) freq *= factor;
    rope.context_length_ = stretched(options.max_position_embeddings, factor);
  } else if (type == "dynamic") {
    if (options.max_position_embeddings <= 0) config.refuse("max_position_embeddings", "is needed for dynamic scaling");
    if (options.dims <= 2) scaling->refuse("type", "dynamic scaling needs heads of more than 2 numbers");
    rope.dynamic_ =
        Dynamic{options.base, scaling->number("factor", {.min = 1.0, .max = 1e6}), options.max_position_embeddings};
    rope.context_length_ = stretched(options.max_position_embeddings, rope.dynamic_->factor);
  } else if (type == "llama3") {
    scale_llama3(freqs, *scaling);
  } else if (type == "yarn") {
    rope.mscale_ = scale_yarn(freqs, *scaling, options);
    // Configs differ in whether max_position_embeddings is the length before or behind the stretch.
    const int before =
        scaling->integer_or("original_max_position_embeddings", options.max_position_embeddings, kLength);
    if (options.max_position_embeddings > 0)
      rope.context_length_ =
          std::max(options.max_position_embeddings, stretched(before, scaling->number("factor", kFactor)));
  } else if (type == "longrope" || type == "su") {
    rope.mscale_ = scale_longrope(freqs, config, *scaling, options);
  } else {
    scaling->refuse(scaling->has("type") ? "type" : "rope_type", "\"" + type + "\" is not a scaling known here");
  }
  rope.freqs_ = to_array(freqs);
  return rope;
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
