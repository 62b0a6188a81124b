// Quantized products in integers for an instruction set L, included by the ISA files inside their target region.
//
// A register of codes gives its 16-bit words once for each code in them, shifted and masked; each such vector meets one
// of x. L::kRows rows of W lie side by side in a register, with the same vector of x beside itself. One row of x meets
// two registers of W, which share the loads of x; more rows meet one, whose unpacking they share. The scales of eight
// groups are multiplied with x's at a time and fetched from memory again, which costs no arithmetic.
//
// What L must have: integer_lanes_avx2_inl.h, with first_dot(codes, x) and dot(sum, codes, x) from the ISA file: sums
// of products of words, two to a lane.
#pragma once

#include <type_traits>

#include "core/cpu/dequantize.h"
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

// lanes[m * R + r] += the unit's products of row m of x and register r of W. codes: the unit's of each register; x: its
// vectors of M rows; scales [M][R][8 * L::kRows] of a chunk, the unit's from `group` on.
template <class L, class U, int M, int R>
inline __attribute__((always_inline)) void add_unit(const typename L::Words (&codes)[R][U::kVectors], const int16_t* x,
                                                    const float* scales, int group,
                                                    typename L::Floats (&lanes)[M * R]) {
  constexpr int V = U::kVectors;
#pragma GCC unroll 8
  for (int m = 0; m < M; m++) {
    typename L::Words sums[R];
#pragma GCC unroll 8
    for (int v = 0; v < V; v++) {
      const auto words = L::load_x(x + (m * V + v) * 16);
#pragma GCC unroll 2
      for (int r = 0; r < R; r++) {
        sums[r] = v == 0 ? L::first_dot(codes[r][v], words) : L::dot(sums[r], codes[r][v], words);
      }
    }
#pragma GCC unroll 2
    for (int r = 0; r < R; r++) {
      const auto factors = L::template unit_scales<U::kGroups>(scales + (m * R + r) * 8 * L::kRows, group);
      lanes[m * R + r] = L::fma(L::to_floats(sums[r]), factors, lanes[m * R + r]);
    }
  }
}

// ---- Rows of W: from their codes, or from a panel that holds them unpacked.

// The rows that are multiplied together lie one after the other and are followed by the next ones: what they read in a
// step is fetched into L1 in one piece, so far on that all of it has come before the next rows begin, and at least so
// many bytes. Rows of 1 KB by two threads: 11 GB/s without, 17 so.
inline constexpr int64_t kCodesAhead = 2048;

// R registers of rows from `row` on, none beyond `end` - 1, which is repeated.
template <class L, class U, int R>
class CodedRows {
 public:
  static constexpr int kCount = R * L::kRows;

  CodedRows(const IntegerCall& c, int64_t row, int64_t end) : call_(c) {
    for (int i = 0; i < kCount; i++) {
      index_[i] = min_of(row + i, end - 1);
      codes_[i] = codes_of(c.w, index_[i]);
    }
    ahead_ = codes_[0] + max_of(kCodesAhead, kCount * row_bytes());
  }

  // Units that lie in a row as a whole; one more may end behind it.
  int64_t whole() const { return row_bytes() / U::kBytes; }
  bool has_part() const { return row_bytes() % U::kBytes != 0; }

  void load_scales(int r, int64_t chunk, typename L::Floats& scale, typename L::Floats& bias) const {
    const int64_t first = chunk * kChunkGroups, *rows = index_ + r * L::kRows;
    const int count = static_cast<int>(min_of<int64_t>(kChunkGroups, call_.groups() - first));
    const int64_t all = call_.w.n * call_.groups();
    scale = L::load_scales(call_.scale_type, call_.w.scales, rows, call_.groups(), first, count, all);
    bias = L::load_scales(call_.scale_type, call_.w.biases, rows, call_.groups(), first, count, all);
  }
  inline __attribute__((always_inline)) void load_unit(int64_t unit, typename L::Words (&codes)[R][U::kVectors]) const {
    unpack_unit(codes_, unit * U::kBytes, codes);
  }
  // Always inlined: GCC takes a function that only prefetches for one without effect, and removes calls to it.
  inline __attribute__((always_inline)) void fetch_ahead(int64_t unit) const {
    for (int i = 0; i < kCount * U::kBytes; i += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead_ + unit * (kCount * U::kBytes) + i), _MM_HINT_T0);
    }
  }
  // The unit that ends behind the row: its codes, followed by zeros.
  void load_part(typename L::Words (&codes)[R][U::kVectors]) const {
    alignas(64) uint8_t copies[kCount][U::kBytes] = {};
    const uint8_t* starts[kCount];
    const int64_t begin = whole() * U::kBytes;
    for (int i = 0; i < kCount; i++) {
      for (int64_t byte = begin; byte < row_bytes(); byte++) copies[i][byte - begin] = codes_[i][byte];
      starts[i] = copies[i];
    }
    unpack_unit(starts, 0, codes);
  }

 private:
  int64_t row_bytes() const { return call_.w.k / 32 * (4 * U::kFormat.bits); }

  static inline __attribute__((always_inline)) void unpack_unit(const uint8_t* const* rows, int64_t offset,
                                                                typename L::Words (&codes)[R][U::kVectors]) {
#pragma GCC unroll 2
    for (int r = 0; r < R; r++) {
      for (int i = 0; i < U::kFormat.registers(); i++) {
        unpack<L, U::kFormat.bits>(rows + r * L::kRows, offset + i * U::kFormat.register_bytes(),
                                   codes[r] + i * U::kFormat.planes());
      }
    }
  }

  const IntegerCall& call_;
  int64_t index_[kCount];
  const uint8_t* codes_[kCount];
  const uint8_t* ahead_;
};

// A register of rows, of which a panel holds chunks from `first` on: for each unit its vectors, for each chunk scales
// and biases. A panel has the registers of kRowsAtOnce rows one after the other, at most kPanelCodes codes of each.
template <class L, class U>
class PanelRow {
 public:
  PanelRow(char* panel, int64_t register_index, int64_t first)
      : words_(panel + register_index * kPanelCodes * 2 * L::kRows),
        scales_(reinterpret_cast<float*>(panel + kPanelWordBytes) + register_index * kScales * L::kRows),
        first_(first) {}

  void fill(const CodedRows<L, U, 1>& rows, int64_t last) const {
    typename L::Words codes[1][U::kVectors];
    const int64_t end = min_of(last * U::kInChunk, rows.whole());
    for (int64_t unit = first_ * U::kInChunk; unit < end; unit++) {
      rows.load_unit(unit, codes);
      store_unit(unit, codes);
    }
    if (rows.has_part() && end == rows.whole() && end < last * U::kInChunk) {
      rows.load_part(codes);
      store_unit(end, codes);
    }
    for (int64_t chunk = first_; chunk < last; chunk++) {
      typename L::Floats scale, bias;
      rows.load_scales(0, chunk, scale, bias);
      L::store(scale, scales_of(chunk));
      L::store(bias, scales_of(chunk) + 8 * L::kRows);
    }
  }

  void load_scales(int, int64_t chunk, typename L::Floats& scale, typename L::Floats& bias) const {
    scale = L::load(scales_of(chunk));
    bias = L::load(scales_of(chunk) + 8 * L::kRows);
  }
  inline __attribute__((always_inline)) void load_unit(int64_t unit, typename L::Words (&codes)[1][U::kVectors]) const {
#pragma GCC unroll 8
    for (int v = 0; v < U::kVectors; v++) codes[0][v] = *at(unit, v);
  }
  void fetch_ahead(int64_t) const {}

 private:
  static constexpr int64_t kScales = kPanelCodes / 32 * 2;

  typename L::Words* at(int64_t unit, int v) const {
    return reinterpret_cast<typename L::Words*>(words_) + (unit - first_ * U::kInChunk) * U::kVectors + v;
  }
  float* scales_of(int64_t chunk) const { return scales_ + (chunk - first_) * 2 * kChunkGroups * L::kRows; }
  void store_unit(int64_t unit, const typename L::Words (&codes)[1][U::kVectors]) const {
    for (int v = 0; v < U::kVectors; v++) *at(unit, v) = codes[0][v];
  }

  char* words_;
  float* scales_;
  int64_t first_;
};

// The chunk's scales times x's to `scales` [M][R][8 * L::kRows]; biases times x's sums are added to lanes.
template <class L, int M, int R, class Rows>
inline __attribute__((always_inline)) void begin_chunk(const Rows& rows, const RoundedTile& tile, int64_t chunk,
                                                       float* scales, typename L::Floats (&lanes)[M * R]) {
#pragma GCC unroll 2
  for (int r = 0; r < R; r++) {
    typename L::Floats scale, bias;
    rows.load_scales(r, chunk, scale, bias);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
      const auto x_scale = L::both(tile.scales + m * tile.groups + chunk * kChunkGroups);
      const auto x_sum = L::both(tile.sums + m * tile.groups + chunk * kChunkGroups);
      L::store(L::times(scale, x_scale), scales + (m * R + r) * 8 * L::kRows);
      lanes[m * R + r] = L::fma(L::times(bias, x_scale), x_sum, lanes[m * R + r]);
    }
  }
}

// Chunks [first, last), of which units up to `end`, of R registers of rows with M rows of x.
template <class L, class U, int M, int R, class Rows>
inline __attribute__((always_inline)) void add_chunks(const Rows& rows, const RoundedTile& tile, int64_t first,
                                                      int64_t last, int64_t end, bool part,
                                                      typename L::Floats (&lanes)[M * R]) {
  typename L::Words codes[R][U::kVectors];
  for (int64_t chunk = first; chunk < last; chunk++) {
    alignas(64) float scales[M * R * 8 * L::kRows];
    begin_chunk<L, M, R>(rows, tile, chunk, scales, lanes);
    int64_t unit = chunk * U::kInChunk;
    const int64_t chunk_end = min_of(unit + U::kInChunk, end);
    const int16_t* x = tile.words + unit * (M * U::kVectors * 16);
    for (int group = 0; unit < chunk_end; unit++, x += M * U::kVectors * 16) {
      if constexpr (M == 1) rows.fetch_ahead(unit);
      rows.load_unit(unit, codes);
      add_unit<L, U, M, R>(codes, x, scales, U::group_of(group++), lanes);
    }
    if constexpr (std::is_same_v<Rows, CodedRows<L, U, R>>) {
      if (part && unit == end && chunk + 1 == last) {
        typename L::Words last_codes[R][U::kVectors];
        rows.load_part(last_codes);
        add_unit<L, U, M, R>(last_codes, x, scales, U::group_of(static_cast<int>(unit - chunk * U::kInChunk)), lanes);
      }
    }
  }
}

// ---- Blocks of rows of W.

// Whole rows from their codes: lanes [kRowsAtOnce][M][kProductLanes].
template <class L, class U, int M>
__attribute__((noinline)) void multiply_codes(const IntegerCall& c, const RoundedTile& tile, int64_t begin, int64_t end,
                                              float* lanes) {
  constexpr int R = M <= 2 ? 2 : 1;
  for (int64_t n = begin; n < end; n += R * L::kRows) {
    const CodedRows<L, U, R> rows(c, n, end);
    typename L::Floats sums[M * R];
#pragma GCC unroll 8
    for (int i = 0; i < M * R; i++) sums[i] = L::zero();
    add_chunks<L, U, M, R>(rows, tile, 0, c.chunks(), rows.whole(), rows.has_part(), sums);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
#pragma GCC unroll 2
      for (int r = 0; r < R; r++) {
        L::store_lanes(sums[m * R + r], lanes + ((n - begin + r * L::kRows) * M + m) * kProductLanes, M);
      }
    }
  }
}

// Chunks [first, last) of rows in a panel: lanes are those of the chunks before.
template <class L, class U, int M>
__attribute__((noinline)) void multiply_panel(const IntegerCall& c, const RoundedTile& tile, char* panel, int64_t first,
                                              int64_t last, float* lanes) {
  for (int64_t i = 0; i < kRowsAtOnce / L::kRows; i++, lanes += L::kRows * M * kProductLanes) {
    typename L::Floats sums[M];
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) sums[m] = first == 0 ? L::zero() : L::load_lanes(lanes + m * kProductLanes, M);
    add_chunks<L, U, M, 1>(PanelRow<L, U>(panel, i, first), tile, first, last, c.units(), false, sums);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) L::store_lanes(sums[m], lanes + m * kProductLanes, M);
  }
}

template <class L, class U>
struct UnitKernels {
  static void expand(const IntegerCall& c, int64_t begin, int64_t end, int64_t first, int64_t last, char* panel) {
    for (int64_t i = 0; i < kRowsAtOnce / L::kRows; i++) {
      PanelRow<L, U>(panel, i, first).fill(CodedRows<L, U, 1>(c, min_of(begin + i * L::kRows, end - 1), end), last);
    }
  }
  static void multiply(const IntegerCall& c, const RoundedTile& tile, int64_t begin, int64_t end, float* lanes) {
    if (tile.rows == 1) return multiply_codes<L, U, 1>(c, tile, begin, end, lanes);
    if (tile.rows == 2) return multiply_codes<L, U, 2>(c, tile, begin, end, lanes);
    if (tile.rows == 4) return multiply_codes<L, U, 4>(c, tile, begin, end, lanes);
    if constexpr (U::kFormat.tile_rows() == 8) multiply_codes<L, U, 8>(c, tile, begin, end, lanes);
  }
  static void multiply_expanded(const IntegerCall& c, const RoundedTile& tile, char* panel, int64_t first, int64_t last,
                                float* lanes) {
    if (tile.rows == 1) return multiply_panel<L, U, 1>(c, tile, panel, first, last, lanes);
    if (tile.rows == 2) return multiply_panel<L, U, 2>(c, tile, panel, first, last, lanes);
    if (tile.rows == 4) return multiply_panel<L, U, 4>(c, tile, panel, first, last, lanes);
    if constexpr (U::kFormat.tile_rows() == 8) multiply_panel<L, U, 8>(c, tile, panel, first, last, lanes);
  }
};

// Calls f with the Unit of a format.
template <int kBits, class F>
void with_group(int group_size, F f) {
  if (group_size == 32) return f(Unit<kBits, 32>{});
  if (group_size == 64) return f(Unit<kBits, 64>{});
  f(Unit<kBits, 128>{});
}
template <class F>
void with_unit(const UnitFormat& format, F f) {
  switch (format.bits) {
    case 2: return with_group<2>(format.group_size, f);
    case 3: return with_group<3>(format.group_size, f);
    case 4: return with_group<4>(format.group_size, f);
    case 5: return with_group<5>(format.group_size, f);
    case 6: return with_group<6>(format.group_size, f);
    default: return with_group<8>(format.group_size, f);
  }
}

template <class L>
void multiply(const IntegerCall& c, const RoundedTile& tile, int64_t begin, int64_t end, float* lanes) {
  with_unit(c.format, [&](auto unit) { UnitKernels<L, decltype(unit)>::multiply(c, tile, begin, end, lanes); });
}
template <class L>
void expand(const IntegerCall& c, int64_t begin, int64_t end, int64_t first, int64_t last, char* panel) {
  with_unit(c.format, [&](auto unit) { UnitKernels<L, decltype(unit)>::expand(c, begin, end, first, last, panel); });
}
template <class L>
void multiply_expanded(const IntegerCall& c, const RoundedTile& tile, char* panel, int64_t, int64_t, int64_t first,
                       int64_t last, float* lanes) {
  with_unit(c.format,
            [&](auto unit) { UnitKernels<L, decltype(unit)>::multiply_expanded(c, tile, panel, first, last, lanes); });
}

template <class L>
IntegerKernels integer_kernels() {
  return {.round_row = round_row_avx2,
          .multiply = multiply<L>,
          .expand = expand<L>,
          .multiply_expanded = multiply_expanded<L>,
          .add_lanes = add_lanes_avx2};
}

}  // namespace
}  // namespace hearth::cpu
