#include "weights/row_encoder.h"

#include <array>
#include <cmath>
#include <cstring>

#include "base/half.h"
#include "core/mx.h"
#include "weights/gguf_blocks.h"

namespace hearth::weights {

namespace {

mx::Dtype engine_type(FloatType type) {
  switch (type) {
    case FloatType::kFloat16: return mx::float16;
    case FloatType::kBFloat16: return mx::bfloat16;
    case FloatType::kFloat32: break;
  }
  return mx::float32;
}

std::span<const std::byte> bytes_of(const mx::array& evaluated) {
  return {evaluated.data<std::byte>(), evaluated.nbytes()};
}

}  // namespace

RowEncoder::RowEncoder(GgufType type, size_t width, RowForm form, FloatType dtype)
    : type_(type), block_(block_of(type)), width_(width), form_(form), dtype_(dtype), numbers_(width) {}

std::span<const std::byte> RowEncoder::encode(const std::byte* row, RowPart part) {
  encoded_.clear();
  switch (form_.kind) {
    case RowForm::Kind::kNumbers: encode_numbers(row); break;
    case RowForm::Kind::kCodes: encode_codes(row, part); break;
    case RowForm::Kind::kRequantized: encode_anew(row, part); break;
  }
  return encoded_;
}

void RowEncoder::append(std::span<const std::byte> bytes) {
  encoded_.insert(encoded_.end(), bytes.begin(), bytes.end());
}

// Returns what the value is worth as it is stored.
float RowEncoder::append_float(float value) {
  if (dtype_ == FloatType::kFloat32) {
    append(std::as_bytes(std::span(&value, 1)));
    return value;
  }
  const bool half = dtype_ == FloatType::kFloat16;
  const uint16_t bits = half ? float_to_float16(value) : float_to_bfloat16(value);
  append(std::as_bytes(std::span(&bits, 1)));
  const float stored = half ? float16_to_float(bits) : bfloat16_to_float(bits);
  overflowed_ |= std::isinf(stored) && std::isfinite(value);
  return stored;
}

void RowEncoder::count(float number, float stored) {
  const double lost = double{stored} - double{number};
  loss_.lost += lost * lost;
  loss_.whole += double{number} * double{number};
}

void RowEncoder::expand(const std::byte* row) {
  for (size_t at = 0; at < width_; at += block_.values, row += block_.bytes) read_values(type_, row, &numbers_[at]);
}

void RowEncoder::encode_numbers(const std::byte* row) {
  expand(row);
  for (const float number : numbers_) count(number, append_float(number));
}

void RowEncoder::encode_codes(const std::byte* row, RowPart part) {
  std::array<AffineGroup, kLargestBlock / kGgufGroupSize> block;
  const auto groups = std::span(block).first(block_.values / kGgufGroupSize);
  for (size_t at = 0; at < width_; at += block_.values, row += block_.bytes) {
    read_groups(type_, row, groups);
    for (const AffineGroup& group : groups) {
      if (part != RowPart::kCodes) {
        append_float(part == RowPart::kScales ? group.scale : group.bias);
        continue;
      }
      const size_t end = encoded_.size();
      const float scale = append_float(group.scale), bias = append_float(group.bias);  // only to see what is lost
      encoded_.resize(end);
      for (const uint8_t q : group.q) {
        const auto code = static_cast<float>(q);
        count(group.scale * code + group.bias, scale * code + bias);
      }
      std::array<uint32_t, 8> words;
      pack_group(group.q, form_.bits, words.data());
      append(std::as_bytes(std::span(words).first(static_cast<size_t>(form_.bits))));
    }
  }
}

void RowEncoder::encode_anew(const std::byte* row, RowPart part) {
  expand(row);
  const mx::array exact(numbers_.data(), {1, static_cast<int>(width_)}, mx::float32);
  auto parts = mx::quantize(mx::astype(exact, engine_type(dtype_)), kGgufGroupSize, form_.bits);
  mx::eval(parts);
  append(bytes_of(parts[part == RowPart::kCodes ? 0 : part == RowPart::kScales ? 1 : 2]));
  if (part != RowPart::kCodes) return;
  const mx::array stored = mx::dequantize(parts[0], mx::astype(parts[1], mx::float32),
                                          mx::astype(parts[2], mx::float32), kGgufGroupSize, form_.bits);
  mx::eval(stored);
  for (size_t i = 0; i < width_; ++i) {
    const float value = stored.data<float>()[i];
    overflowed_ |= !std::isfinite(value) && std::isfinite(numbers_[i]);
    count(numbers_[i], value);
  }
}

}  // namespace hearth::weights
