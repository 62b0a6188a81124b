// The two filters that break lines: wordwrap (Python's textwrap) and pprint.
#include <algorithm>

#include "base/python_format.h"
#include "base/unicode.h"
#include "text/jinja/filters.h"
#include "text/jinja/methods.h"
#include "text/jinja/operations.h"
#include "text/jinja/python_strings.h"

namespace hearth::text::jinja {

namespace {

// --- wordwrap ---

using Characters = std::u32string;

Characters decode(std::string_view text) {
  Characters out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) out += next_character(text, at);
  return out;
}

bool is_word(char32_t c) { return c == '_' || has_class(c, kAlpha | kDecimal | kDigit | kNumeric); }
bool is_letter(char32_t c) { return is_word(c) && !has_class(c, kDecimal); }
bool is_blank(char32_t c) { return c == ' ' || (c >= 9 && c <= 13); }
bool is_word_or_mark(char32_t c) {
  return is_word(c) || std::u32string_view(U"!\"'&.,?").find(c) != std::u32string_view::npos;
}

class Wrapper {
 public:
  Wrapper(Characters text, size_t width, bool break_words, bool break_hyphens)
      : text_(std::move(text)), width_(width), break_words_(break_words), break_hyphens_(break_hyphens) {}

  std::vector<Characters> lines() {
    split();
    std::vector<Characters> lines;
    size_t next = 0;
    while (next < chunks_.size()) {
      if (!lines.empty() && is_blank(chunks_[next][0]) && ++next == chunks_.size()) break;
      std::vector<std::u32string_view> line;
      size_t size = 0;
      for (; next < chunks_.size() && size + chunks_[next].size() <= width_; ++next) {
        size += chunks_[next].size();
        line.push_back(chunks_[next]);
      }
      if (next < chunks_.size() && chunks_[next].size() > width_) break_long_word(line, size, next);
      if (!line.empty() && is_blank(line.back()[0])) line.pop_back();
      if (line.empty()) continue;
      lines.emplace_back();
      for (const Chunk chunk : line) lines.back() += chunk;
    }
    return lines;
  }

 private:
  using Chunk = std::u32string_view;  // of text_

  void break_long_word(std::vector<Chunk>& line, size_t size, size_t& next) {
    Chunk& chunk = chunks_[next];
    if (!break_words_) {
      if (line.empty()) line.push_back(chunks_[next++]);
      return;
    }
    size_t end = width_ - size;
    if (break_hyphens_ && end > 0) {
      const size_t hyphen = chunk.rfind('-', end - 1);
      const bool behind_text = hyphen != Chunk::npos && chunk.substr(0, hyphen).find_first_not_of('-') != Chunk::npos;
      if (behind_text) end = hyphen + 1;
    }
    line.push_back(chunk.substr(0, end));
    chunk.remove_prefix(end);
  }

  // Words and the spaces between them; with hyphens, words end behind those inside, too (textwrap's wordsep_re).
  void split() {
    for (size_t at = 0; at < text_.size();) {
      const size_t end = is_blank(text_[at]) ? blank_end(at) : break_hyphens_ ? word_end(at) : word_end_simple(at);
      chunks_.push_back(Chunk(text_).substr(at, end - at));
      at = end;
    }
  }

  size_t blank_end(size_t at) const {
    while (at < text_.size() && is_blank(text_[at])) ++at;
    return at;
  }
  size_t word_end_simple(size_t at) const {
    while (at < text_.size() && !is_blank(text_[at])) ++at;
    return at;
  }

  bool letter_at(size_t at) const { return at < text_.size() && is_letter(text_[at]); }
  bool dash_at(size_t at) const { return at < text_.size() && text_[at] == '-'; }

  // Behind two or more dashes at `at` that stand between words, else 0.
  size_t em_dash_end(size_t at) const {
    if (at == 0 || !is_word_or_mark(text_[at - 1])) return 0;
    size_t end = at;
    while (dash_at(end)) ++end;
    return end - at >= 2 && end < text_.size() && is_word(text_[end]) ? end : 0;
  }

  size_t word_end(size_t at) const {
    if (const size_t end = em_dash_end(at)) return end;
    for (size_t end = at + 1;; ++end) {
      if (end >= text_.size() || is_blank(text_[end])) return end;
      if (text_[end] == '-' && breaks_behind_hyphen(end)) return end + 1;
      if (text_[end] == '-' && em_dash_end(end) != 0) return end;
    }
  }

  bool breaks_behind_hyphen(size_t hyphen) const {
    const bool before =
        hyphen >= 2 && is_letter(text_[hyphen - 1]) &&
        (is_letter(text_[hyphen - 2]) || (hyphen >= 3 && text_[hyphen - 2] == '-' && is_letter(text_[hyphen - 3])));
    const bool after =
        letter_at(hyphen + 1) && (letter_at(hyphen + 2) || (dash_at(hyphen + 2) && letter_at(hyphen + 3)));
    return before && after;
  }

  const Characters text_;
  const size_t width_;
  const bool break_words_, break_hyphens_;
  std::vector<Chunk> chunks_;
};

Value wordwrap_filter(Runtime& runtime, Value input, const Args& args) {
  const auto [width_arg, long_words, wrapstring, hyphens] =
      bind(args, "wordwrap", {"width", "break_long_words", "wrapstring", "break_on_hyphens"});
  if (input.is(Kind::kUndefined)) fail_undefined(runtime, input);
  if (!input.is_string()) fail("'" + std::string(type_name(input)) + "' object has no attribute 'splitlines'");
  const int64_t width = width_arg.is_missing() ? 79 : to_index(runtime, width_arg, "wordwrap");
  const bool newline = wrapstring.is_missing() || wrapstring.is(Kind::kNone);
  if (!newline && !wrapstring.is_string()) fail("wordwrap(): wrapstring must be str");
  const std::string_view between = newline ? "\n" : wrapstring.view();
  const auto flag = [&](Value value) { return value.is_missing() || truthy(runtime, value); };
  runtime.charge_bytes(input.text()->size * 256);
  std::string out;
  bool first = true;
  for (const std::string_view line : split_lines(input.view(), false)) {
    if (!first) out += between;
    first = false;
    if (width <= 0) fail("invalid width " + std::to_string(width) + " (must be > 0)");
    Wrapper wrapper(decode(line), static_cast<size_t>(width), flag(long_words), flag(hyphens));
    bool first_part = true;
    for (const Characters& part : wrapper.lines()) {
      if (!first_part) out += between;
      first_part = false;
      for (const char32_t code : part) append_utf8(out, code);
      if (out.size() > runtime.limits().bytes) fail("wordwrap(): the result is too long");
    }
  }
  return runtime.string(out);
}

// --- pprint ---

constexpr int64_t kPageWidth = 80;

class PrettyPrinter {
 public:
  PrettyPrinter(Runtime& runtime, std::string& out) : runtime_(runtime), out_(out) {}

  // pprint.PrettyPrinter._format: on one line when that fits, else by type.
  void print(Value value, int64_t indent, int64_t allowance, int level) {
    const Runtime::DepthGuard guard(runtime_);
    std::string line;
    append_flat(line, value);
    if (static_cast<int64_t>(count_characters(line)) <= kPageWidth - indent - allowance) {
      out_ += line;
      return;
    }
    switch (value.kind()) {
      case Kind::kDict: print_dict(value, indent, allowance + 1, level + 1); break;
      case Kind::kList: print_items(value, "[", "]", indent, allowance + 1, level + 1); break;
      case Kind::kTuple: {
        const std::string_view end = value.list_data()->count == 1 ? ",)" : ")";
        print_items(value, "(", end, indent, allowance + static_cast<int64_t>(end.size()), level + 1);
        break;
      }
      case Kind::kString:
        if (!value.is_markup()) {
          print_string(value.view(), indent, allowance, level + 1);
          break;
        }
        [[fallthrough]];
      default: out_ += line;
    }
  }

 private:
  static std::string repr(std::string_view text) {
    std::string out;
    append_python_repr(out, text);
    return out;
  }

  std::vector<Entry> sorted(Value dict) const {
    const auto entries = dict.dict_data()->entries(runtime_);
    std::vector<Entry> all(entries.begin(), entries.end());
    std::stable_sort(all.begin(), all.end(), [&](const Entry& a, const Entry& b) {
      const bool comparable = a.key.kind() == b.key.kind() || (a.key.is_number() && b.key.is_number());
      if (!comparable || a.key.is(Kind::kNone)) return type_name(a.key) < type_name(b.key);
      return compare(runtime_, Order::kLess, a.key, b.key);
    });
    return all;
  }

  // repr with the keys of dicts in order.
  void append_flat(std::string& out, Value value) {
    const Runtime::DepthGuard guard(runtime_);
    runtime_.step();
    if (out.size() > runtime_.limits().bytes) fail("pprint(): the result is too long");
    bool first = true;
    const auto separate = [&] {
      if (!first) out += ", ";
      first = false;
    };
    if (value.is(Kind::kDict)) {
      out += '{';
      for (const Entry& entry : sorted(value)) {
        separate();
        append_flat(out, entry.key);
        out += ": ";
        append_flat(out, entry.value);
      }
      out += '}';
    } else if (value.is_sequence()) {
      out += value.is(Kind::kList) ? '[' : '(';
      for (const Value item : value.list_data()->items(runtime_)) {
        separate();
        append_flat(out, item);
      }
      out += value.is(Kind::kList) ? "]" : value.list_data()->count == 1 ? ",)" : ")";
    } else {
      append_repr(runtime_, out, value);
    }
  }

  void new_line(int64_t indent) {
    out_ += '\n';
    out_.append(static_cast<size_t>(indent), ' ');
  }

  void print_dict(Value dict, int64_t indent, int64_t allowance, int level) {
    out_ += '{';
    const std::vector<Entry> entries = sorted(dict);
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) {
        out_ += ',';
        new_line(indent + 1);
      }
      std::string key;
      append_flat(key, entries[i].key);
      out_ += key + ": ";
      const auto key_width = static_cast<int64_t>(count_characters(key));
      print(entries[i].value, indent + 1 + key_width + 2, i + 1 == entries.size() ? allowance : 1, level);
    }
    out_ += '}';
  }

  void print_items(Value sequence, std::string_view begin, std::string_view end, int64_t indent, int64_t allowance,
                   int level) {
    out_ += begin;
    const auto items = sequence.list_data()->items(runtime_);
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) {
        out_ += ',';
        new_line(indent + 1);
      }
      print(items[i], indent + 1, i + 1 == items.size() ? allowance : 1, level);
    }
    out_ += end;
  }

  // Words with the spaces behind them.
  static std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> parts;
    size_t begin = 0;
    bool in_space = false;
    for (size_t at = 0; at < line.size();) {
      const size_t here = at;
      const bool space = is_space(next_character(line, at));
      if (in_space && !space) {
        parts.push_back(line.substr(begin, here - begin));
        begin = here;
      }
      in_space = space;
    }
    parts.push_back(line.substr(begin));
    return parts;
  }

  void print_string(std::string_view text, int64_t indent, int64_t allowance, int level) {
    const auto lines = split_lines(text, true);
    if (level == 1) {
      ++indent;
      ++allowance;
    }
    const int64_t width = kPageWidth - indent;
    const auto fits = [](const std::string& line, int64_t room) {
      return static_cast<int64_t>(count_characters(line)) <= room;
    };
    std::vector<std::string> chunks;
    std::string last;
    for (size_t i = 0; i < lines.size(); ++i) {
      const bool final_line = i + 1 == lines.size();
      last = repr(lines[i]);
      if (fits(last, final_line ? width - allowance : width)) {
        chunks.push_back(last);
        continue;
      }
      const auto parts = words(lines[i]);
      std::string current;
      for (size_t j = 0; j < parts.size(); ++j) {
        const std::string candidate = current + std::string(parts[j]);
        runtime_.charge_bytes(candidate.size() * 8);
        if (fits(repr(candidate), final_line && j + 1 == parts.size() ? width - allowance : width)) {
          current = candidate;
        } else {
          if (!current.empty()) chunks.push_back(repr(current));
          current = std::string(parts[j]);
        }
      }
      if (!current.empty()) chunks.push_back(repr(current));
    }
    if (chunks.size() == 1) {
      out_ += last;
      return;
    }
    if (level == 1) out_ += '(';
    for (size_t i = 0; i < chunks.size(); ++i) {
      if (i > 0) new_line(indent);
      out_ += chunks[i];
    }
    if (level == 1) out_ += ')';
  }

  Runtime& runtime_;
  std::string& out_;
};

Value pprint_filter(Runtime& runtime, Value input, const Args& args) {
  refuse_arguments(args, "pprint");
  std::string out;
  PrettyPrinter(runtime, out).print(input, 0, 0, 0);
  return runtime.string(out);
}

constexpr FilterEntry kLayoutFilters[] = {{"pprint", pprint_filter}, {"wordwrap", wordwrap_filter}};

}  // namespace

std::span<const FilterEntry> layout_filters() { return kLayoutFilters; }

}  // namespace hearth::text::jinja
