#include "text/tokenizer/code_set.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <utility>

#include "text/tokenizer/unicode.h"

namespace hearth::text {

namespace {

constexpr char32_t kLast = 0x10FFFF;
constexpr std::array<std::string_view, 7> kMajors = {"L", "M", "N", "P", "S", "Z", "C"};
constexpr std::array<std::string_view, 29> kCategories = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl",
                                                          "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc",
                                                          "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co"};

constexpr std::array<std::string_view, 14> kPosixClasses = {"alnum", "alpha", "ascii", "blank", "cntrl",
                                                            "digit", "graph", "lower", "print", "punct",
                                                            "space", "upper", "word",  "xdigit"};

bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }

template <typename Test>
CodeSet collect(Test&& test) {
  CodeSet out;
  for_each_run([&](char32_t first, char32_t last, const CharacterProperties& p) {
    if (test(p)) out.add(first, last);
  });
  return out;
}

void add_pairs(std::span<const uint32_t> pairs, CodeSet& out) {
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) out.add(pairs[i], pairs[i + 1]);
}

CodeSet with_category(std::string_view name) {
  return collect([&](const CharacterProperties& p) { return kCategories[p.category].starts_with(name); });
}

// Properties' names are compared without case, spaces, hyphens and underscores.
std::string plain_name(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c != ' ' && c != '-' && c != '_') out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return out;
}

// "l", "lu", "lc", "letter", "uppercaseletter", ...
bool add_category(std::string_view plain, CodeSet& out) {
  // clang-format off
  constexpr std::pair<std::string_view, std::string_view> kLongNames[] = {
      {"letter", "L"}, {"casedletter", "LC"}, {"lc", "LC"}, {"uppercaseletter", "Lu"}, {"lowercaseletter", "Ll"},
      {"titlecaseletter", "Lt"}, {"modifierletter", "Lm"}, {"otherletter", "Lo"}, {"mark", "M"},
      {"combiningmark", "M"}, {"nonspacingmark", "Mn"}, {"spacingmark", "Mc"}, {"enclosingmark", "Me"},
      {"number", "N"}, {"decimalnumber", "Nd"}, {"digit", "Nd"}, {"letternumber", "Nl"}, {"othernumber", "No"},
      {"punctuation", "P"}, {"punct", "P"}, {"connectorpunctuation", "Pc"}, {"dashpunctuation", "Pd"},
      {"openpunctuation", "Ps"}, {"closepunctuation", "Pe"}, {"initialpunctuation", "Pi"}, {"finalpunctuation", "Pf"},
      {"otherpunctuation", "Po"}, {"symbol", "S"}, {"mathsymbol", "Sm"}, {"currencysymbol", "Sc"},
      {"modifiersymbol", "Sk"}, {"othersymbol", "So"}, {"separator", "Z"}, {"spaceseparator", "Zs"},
      {"lineseparator", "Zl"}, {"paragraphseparator", "Zp"}, {"other", "C"}, {"control", "Cc"}, {"cntrl", "Cc"},
      {"format", "Cf"}, {"unassigned", "Cn"}, {"privateuse", "Co"}};
  // clang-format on
  std::string category(plain);
  if (category.size() <= 2 && !category.empty()) category[0] = static_cast<char>(category[0] - 32);
  for (const auto& [name, short_name] : kLongNames)
    if (name == plain) category = short_name;
  if (category == "LC") {
    for (const char* cased : {"Lu", "Ll", "Lt"}) out.add(with_category(cased));
    return true;
  }
  if (category_index(category) < 0 && std::find(kMajors.begin(), kMajors.end(), category) == kMajors.end())
    return false;
  out.add(with_category(category));
  return true;
}

CodeSet word() {
  return collect([](const CharacterProperties& p) { return p.has(CharacterFlag::kOnigWord); });
}

// Oniguruma asks another table there, in which the numbers of Latin-1 are no word characters.
CodeSet word_in_class() {
  CodeSet numbers;
  for (const char32_t c : {0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE}) numbers.add(c, c);
  return word().intersection(numbers.inverted());
}

// Classes that are made of others.
bool add_class(std::string_view plain, CodeSet& out) {
  if (plain == "any") {
    out.add(0, kLast);
  } else if (plain == "ascii") {
    out.add(0, 0x7F);
  } else if (plain == "assigned") {
    out.add(with_category("Cn").inverted());
  } else if (plain == "whitespace" || plain == "space") {
    out.add(collect([](const CharacterProperties& p) { return p.has(CharacterFlag::kSpace); }));
  } else if (plain == "blank") {
    out.add(with_category("Zs"));
    out.add('\t', '\t');
  } else if (plain == "xdigit" || plain == "asciihexdigit" || plain == "ahex") {
    out.add('0', '9');
    out.add('A', 'F');
    out.add('a', 'f');
  } else if (plain == "alnum") {
    add_class("alpha", out);
    out.add(with_category("Nd"));
  } else if (plain == "alpha" || plain == "upper" || plain == "lower") {
    add_pairs(property_ranges(plain == "alpha" ? "alphabetic" : plain == "upper" ? "uppercase" : "lowercase"), out);
  } else {
    return false;
  }
  return true;
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

bool CodeSet::from_property(std::string_view name, bool in_class, CodeSet& out) {
  const std::string plain = plain_name(name);
  if (plain == "word") {
    out.add(in_class ? word_in_class() : word());
    return true;
  }
  if (add_category(plain, out) || add_class(plain, out)) return true;
  if (const int script = script_index(plain); script >= 0) {
    out.add(collect([&](const CharacterProperties& p) { return p.script == script; }));
    return true;
  }
  const auto pairs = property_ranges(plain);
  add_pairs(pairs, out);
  return !pairs.empty();
}

bool CodeSet::from_posix_class(std::string_view name, CodeSet& out) {
  if (name == "punct") {
    add_pairs(posix_punctuation_ranges(), out);
    return true;
  }
  return std::find(kPosixClasses.begin(), kPosixClasses.end(), name) != kPosixClasses.end() &&
         from_property(name, /*in_class=*/true, out);
}

std::string CodeSet::pcre2_class() const {
  if (ranges().empty()) return "[^\\x{0}-\\x{10ffff}]";
  const CodeSet outside = inverted();
  if (outside.ranges().empty()) return "[\\x{0}-\\x{10ffff}]";
  const auto [in, in_items] = spell(*this);
  const auto [out, out_items] = spell(outside);
  if (in_items <= out_items) return "[" + in + "]";
  return out.empty() ? "[\\x{0}-\\x{10ffff}]" : "[^" + out + "]";
}

}  // namespace hearth::text
