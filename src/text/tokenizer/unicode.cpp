// The generated runs are spread at first use over a two-stage table of 256-point blocks (about 0.2 MB, 0.3 ms); uniform
// blocks are shared. The sparse maps (decomposition, composition, lower case) become sorted arrays or hash tables then.
#include "text/tokenizer/unicode.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace hearth::text {

namespace {

struct NamedRanges {
  std::string_view name;
  std::span<const uint32_t> ranges;
};

#include "text/tokenizer/unicode_data.inc"

constexpr size_t kPoints = 0x110000, kBlock = 256;

class PropertyTable {
 public:
  PropertyTable() {
    std::vector<int> uniform(std::size(kRecords), -1);
    size_t run = 0;
    const size_t runs = std::size(kRuns) / 2;
    for (size_t block = 0; block < kPoints / kBlock; ++block) {
      const size_t first = block * kBlock;
      while (run + 1 < runs && kRuns[2 * (run + 1)] <= first) ++run;
      const bool is_uniform = run + 1 == runs || kRuns[2 * (run + 1)] >= first + kBlock;
      int& shared = uniform[kRuns[2 * run + 1]];
      if (is_uniform && shared >= 0) {
        blocks_[block] = static_cast<uint16_t>(shared);
        continue;
      }
      blocks_[block] = static_cast<uint16_t>(records_.size() / kBlock);
      if (is_uniform) shared = blocks_[block];
      size_t at = run;
      for (size_t c = first; c < first + kBlock; ++c) {
        while (at + 1 < runs && kRuns[2 * (at + 1)] <= c) ++at;
        records_.push_back(static_cast<uint16_t>(kRuns[2 * at + 1]));
      }
    }
  }
  const CharacterProperties& operator[](char32_t c) const {
    return kRecords[records_[blocks_[c / kBlock] * kBlock + c % kBlock]];
  }

 private:
  std::array<uint16_t, kPoints / kBlock> blocks_;
  std::vector<uint16_t> records_;
};

struct Decomposition {
  char32_t c;
  std::u32string_view canonical, compatible;
};

struct SparseMaps {
  std::vector<Decomposition> decompositions;
  std::unordered_map<uint64_t, char32_t> compositions;
  std::unordered_map<char32_t, Lowered> lowercase;

  SparseMaps() {
    const std::u32string_view all(kDecompositions, std::size(kDecompositions));
    for (size_t at = 0; at < all.size();) {
      const char32_t c = all[at];
      const size_t canonical = all[at + 1], compatible = all[at + 2];
      const size_t own = canonical == 255 ? 0 : canonical;
      const auto whole = all.substr(at + 3, compatible);
      decompositions.push_back({c, canonical == 0 ? whole : all.substr(at + 3 + compatible, own), whole});
      at += 3 + compatible + own;
    }
    for (size_t i = 0; i < std::size(kCompositions); i += 3)
      compositions[uint64_t{kCompositions[i]} << 32 | kCompositions[i + 1]] = kCompositions[i + 2];
    for (size_t i = 0; i < std::size(kLowercase); i += 3)
      lowercase[kLowercase[i]] = {kLowercase[i + 1], kLowercase[i + 2]};
  }
};

const SparseMaps& maps() {
  static const SparseMaps maps;
  return maps;
}

const Decomposition* find_decomposition(char32_t c) {
  const auto& all = maps().decompositions;
  const auto it =
      std::lower_bound(all.begin(), all.end(), c, [](const Decomposition& d, char32_t x) { return d.c < x; });
  return it != all.end() && it->c == c ? &*it : nullptr;
}

template <size_t N>
int index_of(const char* const (&names)[N], std::string_view name) {
  const auto it = std::find(std::begin(names), std::end(names), name);
  return it == std::end(names) ? -1 : static_cast<int>(it - std::begin(names));
}

}  // namespace

const CharacterProperties& properties(char32_t c) {
  static const PropertyTable table;
  return table[c];
}

std::u32string_view canonical_decomposition(char32_t c) {
  const Decomposition* found = find_decomposition(c);
  return found ? found->canonical : std::u32string_view{};
}

std::u32string_view compatible_decomposition(char32_t c) {
  const Decomposition* found = find_decomposition(c);
  return found ? found->compatible : std::u32string_view{};
}

char32_t composition(char32_t first, char32_t second) {
  const auto it = maps().compositions.find(uint64_t{first} << 32 | second);
  return it == maps().compositions.end() ? 0 : it->second;
}

Lowered lowercase(char32_t c) {
  if (c < 0x80) return {c >= 'A' && c <= 'Z' ? c + 32 : c, 0};
  if (!has_flag(c, CharacterFlag::kHasLower)) return {c, 0};
  return maps().lowercase.at(c);
}

size_t run_count() { return std::size(kRuns) / 2; }
std::pair<char32_t, const CharacterProperties*> run(size_t index) {
  return {kRuns[2 * index], &kRecords[kRuns[2 * index + 1]]};
}

int category_index(std::string_view name) { return index_of(kCategoryNames, name); }
int script_index(std::string_view name) {
  const int index = index_of(kScriptNames, name);
  return index >= 0 || name.empty() ? index : index_of(kScriptCodes, name);
}

std::span<const uint32_t> property_ranges(std::string_view name) {
  for (const NamedRanges& property : kNamedRanges)
    if (property.name == name) return property.ranges;
  return {};
}

std::span<const uint32_t> posix_punctuation_ranges() { return kPunctRanges; }

}  // namespace hearth::text
