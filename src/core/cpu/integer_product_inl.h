// Quantized products in integers for an instruction set L, included by the ISA files inside their target region.
//
// A register of codes gives its 16-bit words once for each code in them, shifted and masked; each such vector meets one
// of x. L::kRows rows of W lie side by side in a register, with the same vector of x beside itself. One row of x meets
// two registers of W, which share the loads of x; more rows meet one, whose unpacking they share. The scales of eight
// groups are multiplied with x's at a time and fetched from memory again, which costs no arithmetic.
//
// L:  Words (integers), Floats (eight a row of W), kRows;
//     load_codes<format>(rows, offset), load_x(p), and, shift_right<n>, multiply_low, places(constants);
//     first_dot(a, b), dot(sum, a, b): sums of products of words, two to a lane; to_floats; fma; ...
#pragma once

#include "core/cpu/extrema.h"
#include "core/cpu/integer_product.h"

namespace hearth::cpu {
namespace {

// ---- From codes to words.

// Codes of 3, 5 and 6 bits: bytes of a 128-bit half that make up its words, and what brings the codes of every word to
// the same bits: kFirst + kBits * j for code j. The upper half is loaded `kBytes` - 16 bytes on, so that nothing
// beyond the register's bytes is read.
template <int kBits>
struct OddPlaces {
  static constexpr int kPlanes = kBits == 3 ? 4 : 2, kBytes = 2 * kPlanes * kBits, kFirst = kBits == 5 ? 6 : 4;
  alignas(32) uint8_t bytes[32] = {};
  alignas(32) uint16_t factors[16] = {};

  constexpr OddPlaces() {
    for (int word = 0; word < 16; word++) {
      const int bit = word % 8 * kPlanes * kBits;                           // in the half's own bytes
      const int byte = kBits == 5 ? bit / 8 : word % 8 / 2 * 3 + word % 2;  // three bytes make two words
      const int at = byte + (word < 8 ? 0 : kBytes / 2 - (kBytes - 16));
      bytes[2 * word] = static_cast<uint8_t>(at);
      bytes[2 * word + 1] = static_cast<uint8_t>(at + 1);
      factors[word] = static_cast<uint16_t>(1 << (kFirst - (bit - 8 * byte)));
    }
  }
};
template <int kBits>
inline constexpr OddPlaces<kBits> kOddPlaces;

// The words of register r of the unit at `offset` of each row: planes of codes, code j of every word in planes[j].
template <class L, int kBits>
inline __attribute__((always_inline)) void unpack(const uint8_t* const* rows, int64_t offset,
                                                  typename L::Words* planes) {
  using Words = typename L::Words;
  if constexpr (kBits == 8) {
    const Words w = L::load_codes(rows, offset);
    planes[0] = L::masked(w, L::all(0xff));
    planes[1] = L::template shifted<8>(w);
  } else if constexpr (kBits == 4) {
    const Words w = L::load_codes(rows, offset), mask = L::all(0xf);
    planes[0] = L::masked(w, mask);
    planes[1] = L::masked(L::template shifted<4>(w), mask);
    planes[2] = L::masked(L::template shifted<8>(w), mask);
    planes[3] = L::template shifted<12>(w);
  } else if constexpr (kBits == 2) {
    const Words w = L::load_codes(rows, offset), mask = L::all(3);
    planes[0] = L::masked(w, mask);
    planes[1] = L::masked(L::template shifted<2>(w), mask);
    planes[2] = L::masked(L::template shifted<4>(w), mask);
    planes[3] = L::masked(L::template shifted<6>(w), mask);
    planes[4] = L::masked(L::template shifted<8>(w), mask);
    planes[5] = L::masked(L::template shifted<10>(w), mask);
    planes[6] = L::masked(L::template shifted<12>(w), mask);
    planes[7] = L::template shifted<14>(w);
  } else {
    constexpr auto& places = kOddPlaces<kBits>;
    constexpr int kFirst = places.kFirst;
    const Words mask = L::all((1 << kBits) - 1);
    const Words spread = L::spread(L::load_halves(rows, offset, places.kBytes - 16), places.bytes);
    const Words w = L::multiply_low(spread, places.factors);
    planes[0] = L::masked(L::template shifted<kFirst>(w), mask);
    if constexpr (kBits == 3) {
      planes[1] = L::masked(L::template shifted<kFirst + 3>(w), mask);
      planes[2] = L::masked(L::template shifted<kFirst + 6>(w), mask);
    }
    planes[places.kPlanes - 1] = L::template shifted<16 - kBits>(w);
  }
}

// ---- Units.

// What a unit of kBits and kGroup needs to know at compile time.
template <int kBits, int kGroup>
struct Unit {
  static constexpr UnitFormat kFormat{kBits, kGroup};
  static constexpr int kVectors = kFormat.vectors(), kGroups = kFormat.groups();
  static constexpr int kBytes = kFormat.registers() * kFormat.register_bytes();
  static constexpr int kInChunk = kFormat.units_per_chunk();

  // The first group of unit i of a chunk.
  static constexpr int group_of(int i) { return i * kFormat.codes() / kGroup; }
};

// Bytes ahead of their use at which rows of W are fetched into L1: two streams of codes hide memory's latency so.
inline constexpr int kCodesAhead = 2048;

// lanes[m * R + r] += the unit's products of row m of x and register r of W. rows: R * L::kRows rows of W, the unit at
// `offset` of each; x: the unit's vectors of M rows; scales [M][R][8 * L::kRows] of a chunk, the unit's from `group`.
template <class L, class U, int M, int R>
inline __attribute__((always_inline)) void add_unit(const uint8_t* const* rows, int64_t offset, const int16_t* x,
                                                    const float* scales, int group,
                                                    typename L::Floats (&lanes)[M * R]) {
  using Words = typename L::Words;
  constexpr int V = U::kVectors, kPlanes = U::kFormat.planes();
  Words codes[R][V];
#pragma GCC unroll 2
  for (int r = 0; r < R; r++) {
    for (int i = 0; i < U::kFormat.registers(); i++) {
      unpack<L, U::kFormat.bits>(rows + r * L::kRows, offset + i * U::kFormat.register_bytes(), codes[r] + i * kPlanes);
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; m++) {
    Words sums[R];
#pragma GCC unroll 8
    for (int v = 0; v < V; v++) {
      const Words words = L::load_x(x + (m * V + v) * 16);
#pragma GCC unroll 2
      for (int r = 0; r < R; r++)
        sums[r] = v == 0 ? L::first_dot(codes[r][v], words) : L::dot(sums[r], codes[r][v], words);
    }
#pragma GCC unroll 2
    for (int r = 0; r < R; r++) {
      const auto factors = L::template unit_scales<U::kGroups>(scales + (m * R + r) * 8 * L::kRows, group);
      lanes[m * R + r] = L::fma(L::to_floats(sums[r]), factors, lanes[m * R + r]);
    }
  }
}

// Rows of W from `row` on that are multiplied together, clamped to the last one, and where their codes begin.
template <class L, int R>
struct WRows {
  int64_t index[R * L::kRows];
  const uint8_t* codes[R * L::kRows];

  WRows(const IntegerCall& c, int64_t row, int64_t end) {
    for (int i = 0; i < R * L::kRows; i++) {
      index[i] = min_of(row + i, end - 1);
      codes[i] = reinterpret_cast<const uint8_t*>(c.w.packed) + index[i] * (c.w.k / 32 * (4 * c.w.bits));
    }
  }
};

// The chunk's scales times x's to `scales` [M][R][8 * L::kRows]; biases times x's sums are added to lanes.
template <class L, int M, int R>
inline __attribute__((always_inline)) void begin_chunk(const IntegerCall& c, const RoundedTile& tile,
                                                       const WRows<L, R>& rows, int64_t first_group, float* scales,
                                                       typename L::Floats (&lanes)[M * R]) {
  const int count = static_cast<int>(min_of<int64_t>(kChunkGroups, c.groups() - first_group));
#pragma GCC unroll 2
  for (int r = 0; r < R; r++) {
    const int64_t* row = rows.index + r * L::kRows;
    const auto scale = L::load_scales(c.scale_type, c.w.scales, row, c.groups(), first_group, count);
    const auto bias = L::load_scales(c.scale_type, c.w.biases, row, c.groups(), first_group, count);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
      const auto x_scale = L::both(tile.scales + m * tile.groups + first_group);
      const auto x_sum = L::both(tile.sums + m * tile.groups + first_group);
      L::store(L::times(scale, x_scale), scales + (m * R + r) * 8 * L::kRows);
      lanes[m * R + r] = L::fma(L::times(bias, x_scale), x_sum, lanes[m * R + r]);
    }
  }
}

// The last unit of a row that ends inside it: its codes, followed by zeros.
template <class L, class U, int M, int R>
void add_last_unit(const WRows<L, R>& rows, int64_t offset, int64_t bytes, const int16_t* x, const float* scales,
                   int group, typename L::Floats (&lanes)[M * R]) {
  alignas(64) uint8_t copies[R * L::kRows][U::kBytes] = {};
  const uint8_t* starts[R * L::kRows];
  for (int i = 0; i < R * L::kRows; i++) {
    for (int64_t byte = 0; byte < bytes; byte++) copies[i][byte] = rows.codes[i][offset + byte];
    starts[i] = copies[i];
  }
  add_unit<L, U, M, R>(starts, 0, x, scales, group, lanes);
}

// Chunks [first, last) of R * L::kRows rows of W with M rows of x.
template <class L, class U, int M, int R>
void add_chunks(const IntegerCall& c, const RoundedTile& tile, const WRows<L, R>& rows, int64_t first, int64_t last,
                typename L::Floats (&result)[M * R]) {
  typename L::Floats lanes[M * R];  // a copy that nothing can point at stays in registers
#pragma GCC unroll 8
  for (int i = 0; i < M * R; i++) lanes[i] = result[i];
  const int64_t row_bytes = c.w.k / 32 * (4 * U::kFormat.bits), whole = row_bytes / U::kBytes;
  for (int64_t chunk = first; chunk < last; chunk++) {
    alignas(64) float scales[M * R * 8 * L::kRows];
    begin_chunk<L, M, R>(c, tile, rows, chunk * kChunkGroups, scales, lanes);
    const int64_t begin = chunk * U::kInChunk, end = min_of(begin + U::kInChunk, whole);
    const int16_t* x = tile.words + begin * (M * U::kVectors * 16);
    int64_t offset = begin * U::kBytes;
    int in_chunk = 0;
    for (int64_t unit = begin; unit < end; unit++) {
      if constexpr (M == 1) {
#pragma GCC unroll 4
        for (int i = 0; i < R * L::kRows; i++)
          _mm_prefetch(reinterpret_cast<const char*>(rows.codes[i] + offset + kCodesAhead), _MM_HINT_T0);
      }
      add_unit<L, U, M, R>(rows.codes, offset, x, scales, U::group_of(in_chunk), lanes);
      x += M * U::kVectors * 16;
      offset += U::kBytes;
      in_chunk++;
    }
    if (begin + U::kInChunk > whole && offset < row_bytes) {
      typename L::Floats copy[M * R];
#pragma GCC unroll 8
      for (int i = 0; i < M * R; i++) copy[i] = lanes[i];
      add_last_unit<L, U, M, R>(rows, offset, row_bytes - offset, x, scales, U::group_of(in_chunk), copy);
#pragma GCC unroll 8
      for (int i = 0; i < M * R; i++) lanes[i] = copy[i];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < M * R; i++) result[i] = lanes[i];
}

// ---- Rows.

template <class L, class U, int M>
void multiply_rows(const IntegerCall& c, const RoundedTile& tile, int64_t begin, int64_t end, int64_t first,
                   int64_t last, float* lanes) {
  constexpr int R = M <= 2 ? 2 : 1;
  for (int64_t n = begin; n < begin + kRowsAtOnce; n += R * L::kRows) {
    typename L::Floats sums[M * R];
    float* own = lanes + (n - begin) * M * kProductLanes;
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
#pragma GCC unroll 2
      for (int r = 0; r < R; r++) {
        sums[m * R + r] = first == 0 ? L::zero() : L::load_lanes(own + (r * L::kRows * M + m) * kProductLanes, M);
      }
    }
    if (n < end) add_chunks<L, U, M, R>(c, tile, WRows<L, R>(c, n, end), first, last, sums);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
#pragma GCC unroll 2
      for (int r = 0; r < R; r++) L::store_lanes(sums[m * R + r], own + (r * L::kRows * M + m) * kProductLanes, M);
    }
  }
}

template <class L, class U>
void multiply_tile(const IntegerCall& c, const RoundedTile& tile, int64_t begin, int64_t end, int64_t first,
                   int64_t last, float* lanes) {
  if (tile.rows == 1) return multiply_rows<L, U, 1>(c, tile, begin, end, first, last, lanes);
  if (tile.rows == 2) return multiply_rows<L, U, 2>(c, tile, begin, end, first, last, lanes);
  if (tile.rows == 4) return multiply_rows<L, U, 4>(c, tile, begin, end, first, last, lanes);
  if constexpr (U::kFormat.tile_rows() == 8) multiply_rows<L, U, 8>(c, tile, begin, end, first, last, lanes);
}

template <class L, int kBits>
void multiply_grouped(const IntegerCall& c, const RoundedTile& tile, int64_t begin, int64_t end, int64_t first,
                      int64_t last, float* lanes) {
  switch (c.format.group_size) {
    case 32: return multiply_tile<L, Unit<kBits, 32>>(c, tile, begin, end, first, last, lanes);
    case 64: return multiply_tile<L, Unit<kBits, 64>>(c, tile, begin, end, first, last, lanes);
    default: return multiply_tile<L, Unit<kBits, 128>>(c, tile, begin, end, first, last, lanes);
  }
}

template <class L>
void multiply(const IntegerCall& c, const RoundedTile& tile, int64_t begin, int64_t end, int64_t first, int64_t last,
              float* lanes) {
  switch (c.format.bits) {
    case 2: return multiply_grouped<L, 2>(c, tile, begin, end, first, last, lanes);
    case 3: return multiply_grouped<L, 3>(c, tile, begin, end, first, last, lanes);
    case 4: return multiply_grouped<L, 4>(c, tile, begin, end, first, last, lanes);
    case 5: return multiply_grouped<L, 5>(c, tile, begin, end, first, last, lanes);
    case 6: return multiply_grouped<L, 6>(c, tile, begin, end, first, last, lanes);
    default: return multiply_grouped<L, 8>(c, tile, begin, end, first, last, lanes);
  }
}

}  // namespace
}  // namespace hearth::cpu
