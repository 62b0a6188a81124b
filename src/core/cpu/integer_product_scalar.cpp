// The specification of quantized products in integers (integer_product.h), and the fallback on CPUs without AVX2.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/cpu/dequantize.h"
#include "core/cpu/integer_product.h"
#include "core/cpu/scalar_types.h"

namespace hearth::cpu {

namespace {

// Where the integer of value k of a row stands.
int16_t* word_at(const RoundedTile& tile, const UnitFormat& format, int row, int64_t k) {
  const int code = static_cast<int>(k % format.codes()), in_register = code % format.register_codes();
  const int vector = code / format.register_codes() * format.planes() + in_register % format.planes();
  return tile.words + ((k / format.codes() * tile.rows + row) * format.vectors() + vector) * 16 +
         in_register / format.planes();
}

template <class T>
void round_row_of(const UnitFormat& format, const T* x, int64_t k, int row, const RoundedTile& tile) {
  const auto largest_of = [&](int64_t begin, int64_t end) {
    float largest = 0;
    for (int64_t i = begin; i < end; i++) {
      const float size = std::abs(to_float(x[i]));
      if (!(size <= largest)) largest = size;
      if (std::isnan(size)) return std::numeric_limits<float>::infinity();
    }
    return largest;
  };
  const float most = largest_of(0, k);
  const bool finite = most < std::numeric_limits<float>::infinity();
  const float lift = lift_for(most);
  tile.factors[row] = finite ? 1 / lift : std::numeric_limits<float>::quiet_NaN();
  for (int64_t i = 0; i < (k + format.codes() - 1) / format.codes() * format.codes(); i++) {
    *word_at(tile, format, row, i) = 0;
  }
  for (int64_t g = 0; g < tile.groups; g++) {
    const int64_t begin = std::min(g * format.group_size, k), end = std::min(begin + format.group_size, k);
    const float largest = std::max(largest_of(begin, end) * lift, kLeastLargest);
    float sum = 0;
    for (int64_t i = begin; finite && i < end; i++) {
      const float rounded = std::nearbyint(to_float(x[i]) * lift * (kLargestInteger / largest));
      *word_at(tile, format, row, i) = static_cast<int16_t>(rounded);
      sum += rounded;
    }
    tile.scales[row * tile.groups + g] = largest / kLargestInteger;
    tile.sums[row * tile.groups + g] = sum;
  }
}

void round_row(const UnitFormat& format, Dtype type, const void* x, int64_t k, int row, const RoundedTile& tile) {
  with_short_float(type, [&](auto zero) { round_row_of(format, static_cast<const decltype(zero)*>(x), k, row, tile); });
}

template <class T>
void add_chunk(const IntegerCall& c, const RoundedTile& tile, int row, int64_t n, int64_t chunk, float* lanes) {
  const UnitFormat& format = c.format;
  const T* scales = static_cast<const T*>(c.w.scales) + n * c.groups();
  const T* biases = static_cast<const T*>(c.w.biases) + n * c.groups();
  const float *x_scales = tile.scales + row * tile.groups, *x_sums = tile.sums + row * tile.groups;
  for (int64_t g = chunk * kChunkGroups; g < std::min((chunk + 1) * kChunkGroups, c.groups()); g++) {
    float& lane = lanes[g % kChunkGroups];
    lane = std::fma(to_float(biases[g]) * x_scales[g], x_sums[g], lane);
  }
  const uint8_t* codes = codes_of(c.w, n);
  const int64_t first = chunk * format.units_per_chunk(), last = first + format.units_per_chunk();
  for (int64_t unit = first; unit < std::min(last, c.units()); unit++) {
    int32_t sums[kProductLanes] = {};
    float factors[kProductLanes] = {};  // stay zero where K has ended
    for (int i = 0; i < format.codes(); i++) {
      const int64_t k = unit * format.codes() + i, g = k / format.group_size;
      if (k >= c.w.k) break;
      sums[format.lane_of(i)] += code_at(codes, k, c.w.bits) * *word_at(tile, format, row, k);
      factors[format.lane_of(i)] = to_float(scales[g]) * x_scales[g];
    }
    for (int lane = 0; lane < kProductLanes; lane++) {
      lanes[lane] = std::fma(static_cast<float>(sums[lane]), factors[lane], lanes[lane]);
    }
  }
}

void multiply_chunks(const IntegerCall& c, const RoundedTile& tile, char*, int64_t begin, int64_t end, int64_t first,
                     int64_t last, float* lanes) {
  for (int64_t n = begin; n < end; n++) {
    for (int row = 0; row < tile.rows; row++, lanes += kProductLanes) {
      if (first == 0) std::fill_n(lanes, kProductLanes, 0.0f);
      with_short_float(c.scale_type, [&](auto zero) {
        for (int64_t chunk = first; chunk < last; chunk++) add_chunk<decltype(zero)>(c, tile, row, n, chunk, lanes);
      });
    }
  }
}

void multiply(const IntegerCall& c, const RoundedTile& tile, int64_t begin, int64_t end, float* lanes) {
  multiply_chunks(c, tile, nullptr, begin, end, 0, c.chunks(), lanes);
}

void expand(const IntegerCall&, int64_t, int64_t, int64_t, int64_t, char*) {}  // reads codes as they lie

void add_lanes(const IntegerCall& c, const RoundedTile& tile, int count, int64_t begin, int64_t end,
               const float* lanes) {
  for (int64_t n = begin; n < end; n++) {
    for (int row = 0; row < count; row++) {
      const float* l = lanes + ((n - begin) * tile.rows + row) * kProductLanes;
      const float first = (l[0] + l[2]) + (l[1] + l[3]), second = (l[4] + l[6]) + (l[5] + l[7]);
      const float total = (first + second) * tile.factors[row];
      with_short_float(c.y_type, [&](auto zero) {
        using T = decltype(zero);
        static_cast<T*>(c.y)[row * c.y_stride + n] = from_float<T>(total);
      });
    }
  }
}

}  // namespace

IntegerKernels integer_kernels_scalar() {
  return {.round_row = round_row,
          .multiply = multiply,
          .expand = expand,
          .multiply_expanded = multiply_chunks,
          .add_lanes = add_lanes};
}

void quantized_matmul_scalar(const QuantizedMatmulArgs& args) { run_integer_product(args, integer_kernels_scalar()); }

}  // namespace hearth::cpu
