// The rows of a GGUF's tensor on their way into MLX's format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weights/float_type.h"
#include "weights/gguf.h"

namespace hearth::weights {

// What rows are written as.
struct RowForm {
  enum class Kind {
    kNumbers,
    kCodes,        // in affine groups of 32, the file's own
    kRequantized,  // in affine groups of 32, as mlx::quantize makes them of the numbers
  };
  Kind kind = Kind::kNumbers;
  int bits = 0;  // of a code

  bool is_quantized() const { return kind != Kind::kNumbers; }
};

// A tensor of numbers is written as one, a quantized one as three.
enum class RowPart { kNumbers, kCodes, kScales, kBiases };

// Encodes rows of `width` numbers, one at a time.
class RowEncoder {
 public:
  // Numbers, scales and biases become `dtype`. Requires is_numbers(type), whole blocks in a row and, for codes,
  // affine_bits(type) == form.bits.
  RowEncoder(GgufType type, size_t width, RowForm form, FloatType dtype);

  // The bytes of one part of a row; good until the next call. Those of numbers and codes count into loss().
  std::span<const std::byte> encode(const std::byte* row, RowPart part);

  // Sums over the rows encoded: the squares of what was lost, and of the numbers themselves.
  struct Loss {
    double lost = 0, whole = 0;
  };
  const Loss& loss() const { return loss_; }

  // Whether a finite number or scale became infinite: float16 ends at 65,504.
  bool overflowed() const { return overflowed_; }

 private:
  void encode_numbers(const std::byte* row);
  void encode_codes(const std::byte* row, RowPart part);
  void encode_anew(const std::byte* row, RowPart part);
  void expand(const std::byte* row);
  void count(float number, float stored);
  float append_float(float value);
  void append(std::span<const std::byte> bytes);

  GgufType type_;
  GgufBlock block_;
  size_t width_;
  RowForm form_;
  FloatType dtype_;
  std::vector<float> numbers_;  // of the row
  std::vector<std::byte> encoded_;
  Loss loss_;
  bool overflowed_ = false;
};

}  // namespace hearth::weights
