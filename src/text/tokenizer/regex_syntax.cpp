// Translates oniguruma's syntax into PCRE2's. A recursive descent is not needed: the pattern is copied item by item,
// and for each item the place where it began is kept, so that a quantifier that PCRE2 would read otherwise can be put
// around it as a group. Classes are evaluated to sets and spelled anew.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "text/tokenizer/code_set.h"
#include "text/tokenizer/regex.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("regular expression: " + what); }

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {
    if (!is_valid_utf8(pattern)) refuse("not UTF-8");
    if (pattern.size() > 65536) refuse("longer than 65536 bytes");
    for (size_t at = 0; at + 1 < pattern.size(); ++at)
      captures_ |= pattern[at] == '\\' && (pattern[at + 1] == 'k' || (pattern[at + 1] > '0' && pattern[at + 1] <= '9'));
  }

  std::string run() {
    while (at_ < in_.size()) item();
    if (!groups_.empty()) refuse("missing )");
    out_.append(reaching_, ')');
    return std::move(out_);
  }

 private:
  struct Group {
    size_t begin;
    bool dot_all;
    size_t reaching = 0;  // groups opened for (?i) within it, which end with it
    // (?:class|class), as far as it has been read: the classes' union, and how many stand in this alternative.
    bool only_classes = false;
    size_t classes = 0;
    CodeSet all = {};
  };

  CodeSet property(std::string_view name) const {
    CodeSet set;
    if (!CodeSet::from_property(name, in_class_, set)) refuse("unknown property '" + std::string(name) + "'");
    return set;
  }

  bool starts(std::string_view text) const { return in_.substr(at_).starts_with(text); }
  bool take(std::string_view text) {
    if (!starts(text)) return false;
    at_ += text.size();
    return true;
  }
  char take_char() {
    if (at_ >= in_.size()) refuse("ends too early");
    return in_[at_++];
  }

  void item() {
    const char c = in_[at_];
    if (c == '(') return open_group();
    if (c == ')') return close_group();
    if (c == '|') {
      ++at_;
      out_ += '|';
      atom_ = npos;
      end_alternative();
      return;
    }
    if (c == '*' || c == '+' || c == '?' || (c == '{' && atom_ != npos && is_interval())) {
      not_only_classes();
      return quantifier();
    }
    atom_ = out_.size();
    quantified_ = false;
    if (c == '[') {
      const size_t begin = at_++;
      in_class_ = true;
      const CodeSet set = bracket(0);
      in_class_ = false;
      out_ += spelled(set, in_.substr(begin, at_ - begin));
      add_class(set);
    } else if (c == '\\') {
      ++at_;
      escape();
    } else if (c == '.') {
      not_only_classes();
      ++at_;
      out_ += dot_all_ ? "[\\x{0}-\\x{10ffff}]" : "[^\\n]";
    } else if (c == '^' || c == '$') {
      not_only_classes();
      ++at_;
      out_ += c == '^' ? "(?m:^)" : "(?m:$)";
    } else {
      not_only_classes();
      literal(next_character(in_, at_));
    }
  }

  void add_class(const CodeSet& set) {
    if (groups_.empty() || !groups_.back().only_classes) return;
    groups_.back().all.add(set);
    ++groups_.back().classes;
  }
  void end_alternative() {
    if (groups_.empty()) return;
    groups_.back().only_classes &= groups_.back().classes == 1;
    groups_.back().classes = 0;
  }
  void not_only_classes() {
    if (!groups_.empty()) groups_.back().only_classes = false;
  }

  void literal(char32_t c) {
    if (c < 0x80 && !std::isalnum(static_cast<unsigned char>(c))) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(c));
      out_ += hex;
    } else {
      append_character(out_, c);
    }
  }

  void open_group() {
    if (groups_.size() >= 64) refuse("groups nested deeper than 64");
    Group group{out_.size(), dot_all_};
    not_only_classes();
    const bool whole_pattern = at_ == 0;
    ++at_;
    if (take("?#")) {
      const size_t close = in_.find(')', at_);
      if (close == in_.npos) refuse("missing )");
      at_ = close + 1;
      return;
    }
    if (!take("?")) {
      group.only_classes = !captures_;
      out_ += captures_ ? "(" : "(?:";
    } else if (starts(":") || starts("=") || starts("!") || starts(">")) {
      group.only_classes = starts(":");
      out_ += "(?";
      out_ += take_char();
    } else if (starts("<=") || starts("<!")) {
      out_ += "(?<";
      ++at_;
      out_ += take_char();
    } else if (take("<")) {
      const std::string name = group_name();
      group.only_classes = !captures_;
      out_ += captures_ ? "(?<" + name + ">" : "(?:";
    } else if (!options_group(whole_pattern)) {
      return;
    }
    groups_.push_back(group);
    atom_ = npos;
  }

  // (?i:...) or (?i); false for the latter, which opens nothing.
  bool options_group(bool whole_pattern) {
    bool on = true;
    std::string set, unset;
    for (;;) {
      const char c = take_char();
      if (c == '-') {
        on = false;
      } else if (c == 'i') {
        (on ? set : unset) += 'i';
      } else if (c == 'm') {
        dot_all_ = on;
      } else if (c == ':' || c == ')') {
        const std::string options = "(?" + set + (unset.empty() ? "" : "-" + unset);
        if (c == ')' && !whole_pattern) {  // reaches to the end of the group, over its alternatives
          out_ += options + ':';
          ++(groups_.empty() ? reaching_ : groups_.back().reaching);
          atom_ = npos;
          return false;
        }
        out_ += options + c;
        return c == ':';
      } else {
        refuse(std::string("unknown group (?") + c);
      }
    }
  }

  std::string group_name() {
    const size_t close = in_.find('>', at_);
    if (close == in_.npos) refuse("group name without >");
    const std::string name(in_.substr(at_, close - at_));
    const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    if (name.empty() || name.size() > 32 || std::isdigit(static_cast<unsigned char>(name[0])) ||
        !std::all_of(name.begin(), name.end(), fits))
      refuse("unknown group name");
    at_ = close + 1;
    return name;
  }

  void close_group() {
    if (groups_.empty()) refuse("unmatched )");
    ++at_;
    end_alternative();
    if (groups_.back().only_classes) {  // one class: repeated, it keeps no way back for every character
      out_.resize(groups_.back().begin);
      out_ += groups_.back().all.pcre2_class();
    } else {
      out_.append(groups_.back().reaching + 1, ')');
    }
    atom_ = groups_.back().begin;
    dot_all_ = groups_.back().dot_all;
    groups_.pop_back();
    quantified_ = false;
  }

  bool is_interval() const {
    size_t at = at_ + 1, digits = 0, commas = 0;
    for (; at < in_.size() && in_[at] != '}'; ++at) {
      if (in_[at] == ',') {
        ++commas;
      } else if (std::isdigit(static_cast<unsigned char>(in_[at]))) {
        ++digits;
      } else {
        return false;
      }
    }
    return at < in_.size() && digits > 0 && commas <= 1;
  }

  void quantifier() {
    if (atom_ == npos) refuse("nothing to repeat");
    if (quantified_) wrap_atom();  // a quantifier on a quantifier
    const char c = take_char();
    if (c == '{') {
      const size_t close = in_.find('}', at_);
      std::string bounds(in_.substr(at_, close - at_));
      if (bounds.size() > 9) refuse("interval too large");
      const bool exact = bounds.find(',') == bounds.npos;
      if (bounds.front() == ',') bounds.insert(0, "0");
      at_ = close + 1;
      out_ += "{" + bounds + "}";
      if (starts("?")) {
        if (exact) refuse("{n}? is ambiguous");
        ++at_;
        out_ += '?';
      }
      quantified_ = true;  // a '+' behind it repeats the whole: possessive intervals are Java's
      return;
    }
    out_ += c;
    if (starts("?") || starts("+")) out_ += take_char();
    quantified_ = true;
  }

  void wrap_atom() {
    out_.insert(atom_, "(?:");
    out_ += ')';
    quantified_ = false;
  }

  void escape() {
    const size_t begin = at_;
    const char c = take_char();
    CodeSet set;
    if (class_escape(c, set)) {
      out_ += spelled(set, in_.substr(begin, at_ - begin));
      return add_class(set);
    }
    not_only_classes();
    if (c == 'b' || c == 'B') {
      const std::string word = property("word").pcre2_class();
      const std::string inside = "(?<=" + word + ")(?=" + word + ")", outside = "(?<!" + word + ")(?!" + word + ")";
      const std::string ends = "(?<=" + word + ")(?!" + word + ")", begins = "(?<!" + word + ")(?=" + word + ")";
      out_ += c == 'b' ? "(?:" + begins + "|" + ends + ")" : "(?:" + inside + "|" + outside + ")";
    } else if (c == 'A' || c == 'z' || c == 'Z' || c == 'R') {
      out_ += '\\';
      out_ += c;
    } else if (c == 'k' && take("<")) {
      out_ += "\\k<" + group_name() + ">";
    } else if (c >= '1' && c <= '9') {
      out_ += '\\';
      out_ += c;
      if (at_ < in_.size() && std::isdigit(static_cast<unsigned char>(in_[at_]))) refuse("group number beyond 9");
    } else {
      literal(character_escape(c));
    }
  }

  // Spelling a class takes a millisecond: each is spelled once.
  const std::string& spelled(const CodeSet& set, std::string_view source) {
    const auto [it, is_new] = spelled_.try_emplace(std::string(source));
    if (spelled_.size() > 128) refuse("more than 128 classes");
    if (is_new) it->second = set.pcre2_class();
    return it->second;
  }

  // \s, \p{...} and their like.
  bool class_escape(char c, CodeSet& set) {
    switch (c) {
      case 's':
      case 'S': set.add(property("space")); break;
      case 'd':
      case 'D': set.add(property("digit")); break;
      case 'w':
      case 'W': set.add(property("word")); break;
      case 'h':
      case 'H': set.add(property("xdigit")); break;
      case 'p':
      case 'P': {
        if (!take("{")) refuse("\\p without {");
        const bool caret = take("^");
        const size_t close = in_.find('}', at_);
        if (close == in_.npos) refuse("\\p{ without }");
        set.add(property(in_.substr(at_, close - at_)));
        at_ = close + 1;
        if (caret != (c == 'P')) set = set.inverted();
        return true;
      }
      default: return false;
    }
    if (c == 'S' || c == 'D' || c == 'W' || c == 'H') set = set.inverted();
    return true;
  }

  char32_t hex(size_t most) {
    char32_t value = 0;
    size_t digits = 0;
    while (digits < most && at_ < in_.size() && std::isxdigit(static_cast<unsigned char>(in_[at_]))) {
      const char d = in_[at_++];
      value = value * 16 + static_cast<char32_t>(d <= '9' ? d - '0' : (d | 32) - 'a' + 10);
      ++digits;
    }
    if (digits == 0 || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) refuse("not a character number");
    return value;
  }

  char32_t character_escape(char c) {
    switch (c) {
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case 'f': return '\f';
      case 'v': return '\v';
      case 'a': return '\a';
      case 'e': return 0x1B;
      case '0': return 0;
      case 'u': {
        const size_t before = at_;
        const char32_t value = hex(4);
        if (at_ - before != 4) refuse("\\u needs four digits");
        return value;
      }
      case 'x': {
        if (!take("{")) {
          const char32_t value = hex(2);
          if (value >= 0x80) refuse("\\x beyond 7f stands for a byte");
          return value;
        }
        const char32_t value = hex(8);
        if (!take("}")) refuse("\\x{ without }");
        return value;
      }
      default: break;
    }
    if (std::isalnum(static_cast<unsigned char>(c))) refuse(std::string("unknown escape \\") + c);
    --at_;
    return next_character(in_, at_);
  }

  // What stands behind '['.
  CodeSet bracket(int depth) {
    if (++classes_ > 1024) refuse("more than 1024 classes");
    if (depth > 16) refuse("classes nested deeper than 16");
    const bool negated = take("^");
    CodeSet whole, part;
    bool first = true, intersected = false;
    const auto intersect = [&] {
      whole = intersected ? whole.intersection(part) : part;
      intersected = true;
      part = {};
    };
    for (;; first = false) {
      if (at_ >= in_.size()) refuse("missing ]");
      if (in_[at_] == ']' && !first) {
        ++at_;
        break;
      }
      if (take("&&")) {
        intersect();
        continue;
      }
      if (starts("[:") && posix(part)) continue;
      if (take("[")) {
        part.add(bracket(depth + 1));
        continue;
      }
      char32_t low;
      if (!class_item(part, low)) continue;
      if (starts("-") && at_ + 1 < in_.size() && in_[at_ + 1] != ']' && !in_.substr(at_ + 1).starts_with("&&")) {
        ++at_;
        char32_t high;
        if (in_[at_] == '[') refuse("range that ends in a class");
        if (!class_item(part, high)) refuse("range that ends in a class");
        if (high < low) refuse("empty range");
        part.add(low, high);
      } else {
        part.add(low, low);
      }
    }
    intersect();
    return negated ? whole.inverted() : whole;
  }

  bool posix(CodeSet& set) {
    const size_t close = in_.find(":]", at_ + 2);
    if (close == in_.npos || close - at_ > 20) return false;
    std::string_view name = in_.substr(at_ + 2, close - at_ - 2);
    const bool negated = name.starts_with("^");
    if (negated) name.remove_prefix(1);
    CodeSet named;
    if (!CodeSet::from_posix_class(name, named)) refuse("unknown class [:" + std::string(name) + ":]");
    set.add(negated ? named.inverted() : named);
    at_ = close + 2;
    return true;
  }

  // One character of a class, or a whole class (then false).
  bool class_item(CodeSet& set, char32_t& c) {
    if (!take("\\")) {
      c = next_character(in_, at_);
      return true;
    }
    const char letter = take_char();
    CodeSet named;
    if (class_escape(letter, named)) {
      set.add(named);
      return false;
    }
    if (letter == 'b') {
      c = '\b';
    } else {
      c = character_escape(letter);
    }
    return true;
  }

  static constexpr size_t npos = std::string::npos;
  std::string_view in_;
  size_t at_ = 0, classes_ = 0;
  std::string out_;
  size_t atom_ = npos;       // where the last item begins in out_, or npos if nothing can be repeated
  bool quantified_ = false;  // whether it has a quantifier already
  bool dot_all_ = false;
  bool in_class_ = false;  // between brackets
  bool captures_ = false;  // whether the pattern may refer to a group; else none keeps what it matched
  std::vector<Group> groups_;
  size_t reaching_ = 0;                         // see Group; of the whole pattern
  std::map<std::string, std::string> spelled_;  // by their source
};

}  // namespace

std::string pcre2_from_oniguruma(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace hearth::text
