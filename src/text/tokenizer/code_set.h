// A set of code points, as sorted ranges: what a character class of a regular expression means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::text {

class CodeSet {
 public:
  struct Range {
    char32_t first, last;
    bool operator==(const Range&) const = default;
  };

  void add(char32_t first, char32_t last) { ranges_.push_back({first, last}); }
  void add(const CodeSet& other) { ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end()); }
  CodeSet inverted() const;
  CodeSet intersection(const CodeSet& other) const;
  // Sorted, apart, joined where they touch.
  std::vector<Range> ranges() const;

  // The set that oniguruma's \p{name} stands for: "L", "Lu", "Uppercase_Letter", "Han", "Hani", "Alphabetic", "word",
  // ... "word" is another set within a class than outside. False when the name is unknown.
  static bool from_property(std::string_view name, bool in_class, CodeSet& out);
  // [:name:] within a class. False when the name is unknown.
  static bool from_posix_class(std::string_view name, CodeSet& out);

  // Spelled as one PCRE2 class. General categories are named where the set holds all of one, so that a class stays a
  // few tests long; what PCRE2's older Unicode lacks is listed as ranges.
  std::string pcre2_class() const;

 private:
  std::vector<Range> ranges_;
};

}  // namespace hearth::text
