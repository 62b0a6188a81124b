// Word i of a key's numbers is one half of the Threefry-2x32 hash of a pair of counters: i and i + n/2 share a hash,
// and the middle word of an odd count has one of its own. This is the order in which MLX (and JAX) draw them.
#include "core/random.h"

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "core/ops/arguments.h"
#include "core/ops/index.h"
#include "core/ops/operators.h"
#include "core/ops/reduce.h"

namespace hearth::core::random {

namespace {

struct Words {
  uint32_t first, second;
};

// 20 rounds. Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
Words threefry(Words key, Words count) {
  constexpr int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const uint32_t keys[3] = {key.first, key.second, key.first ^ key.second ^ 0x1bd11bda};
  Words v{count.first + keys[0], count.second + keys[1]};
  for (uint32_t i = 0; i < 5; ++i) {
    for (int r : rotations[i % 2]) {
      v.first += v.second;
      v.second = std::rotl(v.second, r) ^ v.first;
    }
    v.first += keys[(i + 1) % 3];
    v.second += keys[(i + 2) % 3] + i + 1;
  }
  return v;
}

void fill(Words key, std::byte* out, size_t bytes) {
  const size_t words = (bytes + 3) / 4, half = words / 2, odd = words % 2;
  const auto put = [&](size_t i, uint32_t word) {
    std::memcpy(out + 4 * i, &word, std::min<size_t>(4, bytes - 4 * i));
  };
  for (size_t i = 0; i < half; ++i) {
    const size_t other = i + half + odd;
    const Words drawn = threefry(key, {static_cast<uint32_t>(i), static_cast<uint32_t>(other)});
    put(i, drawn.first);
    put(other, drawn.second);
  }
  if (odd) put(half, threefry(key, {static_cast<uint32_t>(half), 0}).first);
}

// Input: keys [..., 2]; each fills its share of the output.
class RandomBits final : public ComparablePrimitive<RandomBits> {
 public:
  RandomBits(Stream s, Shape shape, int width) : ComparablePrimitive(s), shape_(std::move(shape)), width_(width) {}
  auto state() const { return std::tie(shape_, width_); }
  const char* name() const override { return "RandomBits"; }
  std::vector<Shape> output_shapes(Arrays) const override { return {shape_}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    const array keys = row_contiguous(inputs[0]);
    array& out = outputs[0];
    allocate(out);
    const size_t count = keys.size() / 2;
    if (count == 0) return;
    const size_t bytes = out.nbytes() / count;
    const uint32_t* key = keys.data<uint32_t>();
    for (size_t i = 0; i < count; ++i) fill({key[2 * i], key[2 * i + 1]}, out.data<std::byte>() + i * bytes, bytes);
  }

 private:
  Shape shape_;
  int width_;
};

// The calling thread's sequence of keys.
array& thread_key() {
  static const uint64_t start =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  static thread_local array current = key(start);
  return current;
}

array next_key() {
  auto [next, drawn] = split(thread_key());
  thread_key() = next;
  return drawn;
}

// The largest value below one.
array below_one(Dtype t) {
  if (t == float16) return array(1.0f - 0x1p-11f, float16);
  if (t == bfloat16) return array(1.0f - 0x1p-8f, bfloat16);
  return array(std::nextafter(1.0f, 0.0f));
}

array categorical_at(const array& logits, int axis, const Shape& shape, const std::optional<array>& key,
                     const StreamOrDevice& s) {
  Shape drawn = shape;
  const int at = axis + static_cast<int>(shape.size()) - static_cast<int>(logits.ndim()) + 1;
  drawn.insert(drawn.begin() + at, logits.shape(axis));
  return argmax(add(gumbel(drawn, float32, key, s), logits, s), at, false, s);
}

}  // namespace

array key(uint64_t seed) { return array({static_cast<uint32_t>(seed >> 32), static_cast<uint32_t>(seed)}); }
void seed(uint64_t seed) { thread_key() = key(seed); }

array bits(const Shape& shape, int width, const std::optional<array>& key, StreamOrDevice s) {
  const array k = key ? *key : next_key();
  if (k.dtype() != uint32) invalid("[bits] Expected key type uint32 but received ", k.dtype(), ".");
  if (k.shape() != Shape{2}) invalid("[bits] Expected key shape (2) but received ", k.shape(), ".");
  if (width != 1 && width != 2 && width != 4) invalid("[bits] Bit width must be in {1, 2, 4} but got ", width, ".");
  const Dtype t = width == 4 ? uint32 : width == 2 ? uint16 : uint8;
  return array(shape, t, std::make_shared<RandomBits>(to_stream(s), shape, width), {k});
}
array bits(const Shape& shape, const std::optional<array>& key, StreamOrDevice s) { return bits(shape, 4, key, s); }

array split(const array& key, int num, StreamOrDevice s) { return bits({num, 2}, 4, key, s); }
std::pair<array, array> split(const array& key, StreamOrDevice s) {
  const array both = bits({2, 2}, 4, key, s);
  return {take(both, 0, 0, s), take(both, 1, 0, s)};
}

array uniform(const array& low, const array& high, const Shape& shape, Dtype dtype, const std::optional<array>& key,
              StreamOrDevice s) {
  if (!is_floating(dtype)) invalid("[uniform] Can only generate uniform numbers with real floating point type.");
  const array lo = astype(low, dtype, s), range = subtract(astype(high, dtype, s), lo, s);
  if (broadcast_shapes(shape, range.shape(), "uniform") != shape) {
    invalid("[uniform] Cannot generate random values of shape ", shape, " from broadcasted shape ", range.shape(), ".");
  }
  const array most(std::numeric_limits<uint32_t>::max(), float32);
  array drawn = divide(bits(shape, 4, key, s), most, s);
  drawn = astype(minimum(drawn, below_one(dtype), s), dtype, s);
  return add(multiply(range, drawn, s), lo, s);
}
array uniform(const Shape& shape, Dtype dtype, const std::optional<array>& key, StreamOrDevice s) {
  return uniform(array(0.0f, dtype), array(1.0f, dtype), shape, dtype, key, s);
}
array uniform(const Shape& shape, const std::optional<array>& key, StreamOrDevice s) {
  return uniform(shape, float32, key, s);
}

namespace {

// In (-1, 1), for erfinv. In float32 whatever the result's type, so that a narrow type does not coarsen the tails.
array around_zero(const Shape& shape, const std::optional<array>& key, const StreamOrDevice& s) {
  return uniform(negative(below_one(float32), s), array(1.0f), shape, float32, key, s);
}

// Real and imaginary parts have half the variance each.
array complex_normal(const Shape& shape, const std::optional<array>& loc, const std::optional<array>& scale,
                     const std::optional<array>& key, const StreamOrDevice& s) {
  Shape pairs = shape;
  pairs.push_back(2);
  array out = squeeze(view(erfinv(around_zero(pairs, key, s), s), complex64, s), -1, s);
  if (scale) out = multiply(*scale, out, s);
  return loc ? add(*loc, out, s) : out;
}

}  // namespace

array normal(const Shape& shape, Dtype dtype, const std::optional<array>& loc, const std::optional<array>& scale,
             const std::optional<array>& key, StreamOrDevice s) {
  if (dtype == complex64) return complex_normal(shape, loc, scale, key, s);
  if (!is_floating(dtype)) invalid("[normal] Only floating point and complex64 types are supported.");
  const array drawn = around_zero(shape, key, s);
  array width(std::sqrt(2.0f));
  if (scale) width = multiply(width, astype(*scale, float32, s), s);
  array out = multiply(width, erfinv(drawn, s), s);
  if (loc) out = add(out, astype(*loc, float32, s), s);
  return astype(out, dtype, s);
}
array normal(const Shape& shape, Dtype dtype, float loc, float scale, const std::optional<array>& key,
             StreamOrDevice s) {
  const auto unless = [&](float value, float usual) {
    return value == usual ? std::nullopt : std::optional(array(value, dtype));
  };
  return normal(shape, dtype, unless(loc, 0), unless(scale, 1), key, s);
}
array normal(const Shape& shape, float loc, float scale, const std::optional<array>& key, StreamOrDevice s) {
  return normal(shape, float32, loc, scale, key, s);
}
array normal(const Shape& shape, Dtype dtype, const std::optional<array>& key, StreamOrDevice s) {
  return normal(shape, dtype, std::nullopt, std::nullopt, key, s);
}
array normal(const Shape& shape, const std::optional<array>& key, StreamOrDevice s) {
  return normal(shape, float32, std::nullopt, std::nullopt, key, s);
}

array randint(const array& low, const array& high, const Shape& shape, Dtype dtype, const std::optional<array>& key,
              StreamOrDevice s) {
  if (!is_integer(dtype)) invalid("[randint] randint only accepts integer dtypes and bool.");
  const array drawn = uniform(low, high, shape, float32, key, s);
  return astype(maximum(drawn, low, s), dtype, s);
}

array bernoulli(const array& p, const Shape& shape, const std::optional<array>& key, StreamOrDevice s) {
  if (!is_floating(p.dtype())) invalid("[bernoulli] bernoulli probability `p` must be a float type.");
  if (broadcast_shapes(shape, p.shape(), "bernoulli") != shape) {
    invalid("[bernoulli] shape ", shape, " is incompatible with shape of p ", p.shape(), ".");
  }
  return less(uniform(shape, float32, key, s), p, s);
}

array gumbel(const Shape& shape, Dtype dtype, const std::optional<array>& key, StreamOrDevice s) {
  return negative(log(negative(log(uniform(shape, dtype, key, s), s), s), s), s);
}

array categorical(const array& logits, int axis, const Shape& shape, const std::optional<array>& key,
                  StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(logits.ndim()), "[categorical] ");
  Shape reduced = logits.shape();
  reduced.erase(reduced.begin() + at);
  if (broadcast_shapes(shape, reduced, "categorical") != shape) {
    invalid("[categorical] Requested shape ", shape, " is not broadcast compatible with reduced logits shape ", reduced,
            ".");
  }
  return categorical_at(logits, at, shape, key, s);
}
array categorical(const array& logits, int axis, int num_samples, const std::optional<array>& key, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(logits.ndim()), "[categorical] ");
  Shape shape = logits.shape();
  shape.erase(shape.begin() + at);
  shape.push_back(num_samples);
  return categorical_at(expand_dims(logits, -1, s), at, shape, key, s);
}
array categorical(const array& logits, int axis, const std::optional<array>& key, StreamOrDevice s) {
  const int at = normalize_axis_index(axis, static_cast<int>(logits.ndim()), "[categorical] ");
  Shape shape = logits.shape();
  shape.erase(shape.begin() + at);
  return categorical_at(logits, at, shape, key, s);
}

}  // namespace hearth::core::random
