#include "text/tokenizer/code_set.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "text/tokenizer/unicode.h"

namespace hearth::text {

namespace {

constexpr char32_t kLast = 0x10FFFF;
constexpr std::array<std::string_view, 7> kMajors = {"L", "M", "N", "P", "S", "Z", "C"};
constexpr std::array<std::string_view, 29> kCategories = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl",
                                                          "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc",
                                                          "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co"};

bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }

template <typename Test>
CodeSet collect(Test&& test) {
  CodeSet out;
  for_each_run([&](char32_t first, char32_t last, const CharacterProperties& p) {
    if (test(p)) out.add(first, last);
  });
  return out;
}

CodeSet with_category(std::string_view name) {
  return collect([&](const CharacterProperties& p) { return kCategories[p.category].starts_with(name); });
}

using Ranges = std::vector<CodeSet::Range>;

// What PCRE2 surely counts as each category: code points that had it in Unicode 14.
const std::array<Ranges, kCategories.size()>& since_14() {
  static const auto table = [] {
    std::array<CodeSet, kCategories.size()> sets;
    for_each_run([&](char32_t first, char32_t last, const CharacterProperties& p) {
      if (p.has(CharacterFlag::kCategorySince14)) sets[p.category].add(first, last);
    });
    std::array<Ranges, kCategories.size()> out;
    for (size_t i = 0; i < sets.size(); ++i) out[i] = sets[i].ranges();
    return out;
  }();
  return table;
}

// Whether sorted `ranges` hold all of sorted `parts`.
bool hold(const Ranges& ranges, const Ranges& parts) {
  auto at = ranges.begin();
  for (const auto& part : parts) {
    while (at != ranges.end() && at->last < part.first) ++at;
    if (at == ranges.end() || part.first < at->first || part.last > at->last) return false;
  }
  return true;
}

void append_point(std::string& out, char32_t c) {
  char hex[16];
  std::snprintf(hex, sizeof hex, "\\x{%x}", static_cast<unsigned>(c));
  out += hex;
}

void append_ranges(std::string& out, const CodeSet& set, size_t& items) {
  for (auto [first, last] : set.ranges()) {
    if (is_surrogate(first)) first = 0xE000;
    if (is_surrogate(last)) last = 0xD7FF;
    if (first > last) continue;
    ++items;
    append_point(out, first);
    if (last == first) continue;
    out += '-';
    append_point(out, last);
  }
}

// Items between the brackets, and how many.
std::pair<std::string, size_t> spell(const CodeSet& set) {
  std::string out;
  CodeSet named;
  size_t items = 0;
  const Ranges wanted = set.ranges();
  for (const std::string_view major : kMajors) {
    if (major == "C") continue;  // its bulk is the unassigned, which differ between versions
    std::string minors;
    bool all = true;
    for (size_t i = 0; i < kCategories.size(); ++i) {
      if (!kCategories[i].starts_with(major)) continue;
      const Ranges& members = since_14()[i];
      const bool covered = hold(wanted, members);
      all &= covered;
      if (!covered || members.empty()) continue;
      minors += "\\p{" + std::string(kCategories[i]) + "}";
      for (const auto& [first, last] : members) named.add(first, last);
      ++items;
    }
    out += all ? "\\p{" + std::string(major) + "}" : minors;
  }
  append_ranges(out, set.intersection(named.inverted()), items);
  return {out, items};
}

}  // namespace

std::vector<CodeSet::Range> CodeSet::ranges() const {
  std::vector<Range> sorted = ranges_;
  std::sort(sorted.begin(), sorted.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> out;
  for (const Range& range : sorted) {
    if (!out.empty() && range.first <= out.back().last + 1) {
      out.back().last = std::max(out.back().last, range.last);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

CodeSet CodeSet::inverted() const {
  CodeSet out;
  char32_t next = 0;
  for (const auto& [first, last] : ranges()) {
    if (first > next) out.add(next, first - 1);
    next = last + 1;
  }
  if (next <= kLast) out.add(next, kLast);
  return out;
}

CodeSet CodeSet::intersection(const CodeSet& other) const {
  CodeSet outside = inverted();
  outside.add(other.inverted());
  return outside.inverted();
}

bool CodeSet::from_property(std::string_view name, CodeSet& out) {
  if (name == "Any" || name == "any") {
    out.add(0, kLast);
  } else if (name == "ASCII" || name == "ascii") {
    out.add(0, 0x7F);
  } else if (category_index(name) >= 0 || std::find(kMajors.begin(), kMajors.end(), name) != kMajors.end()) {
    out.add(with_category(name));
  } else if (const int script = script_index(name); script >= 0) {
    out.add(collect([&](const CharacterProperties& p) { return p.script == script; }));
  } else if (name == "White_Space" || name == "space" || name == "Space") {
    out.add(collect([](const CharacterProperties& p) { return p.has(CharacterFlag::kSpace); }));
  } else if (name == "word" || name == "Word") {
    out.add(collect([](const CharacterProperties& p) { return p.has(CharacterFlag::kOnigWord); }));
  } else if (name == "digit" || name == "Digit") {
    out.add(with_category("Nd"));
  } else if (name == "cntrl" || name == "Cntrl") {
    out.add(with_category("Cc"));
  } else if (name == "blank" || name == "Blank") {
    out.add(with_category("Zs"));
    out.add('\t', '\t');
  } else if (name == "xdigit" || name == "XDigit") {
    out.add('0', '9');
    out.add('A', 'F');
    out.add('a', 'f');
  } else if (name == "alnum" || name == "Alnum") {
    from_property("alpha", out);
    out.add(with_category("Nd"));
  } else {
    const auto pairs = property_ranges(name);
    for (size_t i = 0; i + 1 < pairs.size(); i += 2) out.add(pairs[i], pairs[i + 1]);
    return !pairs.empty();
  }
  return true;
}

std::string CodeSet::pcre2_class() const {
  if (ranges().empty()) return "(*FAIL)";
  const CodeSet outside = inverted();
  if (outside.ranges().empty()) return "[\\x{0}-\\x{10ffff}]";
  const auto [in, in_items] = spell(*this);
  const auto [out, out_items] = spell(outside);
  if (in_items <= out_items) return "[" + in + "]";
  return out.empty() ? "[\\x{0}-\\x{10ffff}]" : "[^" + out + "]";
}

}  // namespace hearth::text
