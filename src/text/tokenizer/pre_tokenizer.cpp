// One small class for each type; ranges only, except where a step writes into the text (Metaspace,
// ByteLevelPreTokenizer).
#include "text/tokenizer/pre_tokenizer.h"

#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Matches of single characters for which test(c).
template <typename Test>
auto characters(Test test) {
  return [test](std::string_view text, auto&& match) {
    for (size_t at = 0; at < text.size();) {
      const size_t begin = at;
      if (test(next_character(text, at))) match(begin, at);
    }
  };
}

SplitBehavior behavior(const Component& settings, std::string_view name) {
  const std::string text = settings.string(name);
  if (text == "Removed") return SplitBehavior::kRemoved;
  if (text == "Isolated") return SplitBehavior::kIsolated;
  if (text == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (text == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (text == "Contiguous") return SplitBehavior::kContiguous;
  settings.fail("unknown behavior '" + text + "'");
}

class PatternSplit : public PreTokenizer {
 public:
  explicit PatternSplit(const Component& settings)
      : PatternSplit(settings.pattern("pattern"), behavior(settings, "behavior"), settings.boolean("invert")) {}
  PatternSplit(Regex pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void apply(SplitText& text) const override {
    text.split_each(behavior_, invert_, [&](std::string_view piece, auto&& match) {
      // One character alone stays as it is, whatever matches.
      if (behavior_ == SplitBehavior::kIsolated && !piece.empty() && utf8_length(piece[0]) == piece.size()) return;
      pattern_.find(piece, match);
    });
  }

 private:
  Regex pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

// Cuts at characters of one kind.
template <typename Test>
class CharacterSplit : public PreTokenizer {
 public:
  CharacterSplit(Test test, SplitBehavior behavior) : test_(test), behavior_(behavior) {}
  void apply(SplitText& text) const override { text.split_each(behavior_, false, characters(test_)); }

 private:
  Test test_;
  SplitBehavior behavior_;
};

template <typename Test>
std::unique_ptr<PreTokenizer> split_at(Test test, SplitBehavior behavior) {
  return std::make_unique<CharacterSplit<Test>>(test, behavior);
}

bool is_numeric(char32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : has_flag(c, CharacterFlag::kNumeric); }
bool is_punctuation(char32_t c) { return has_flag(c, CharacterFlag::kPunctuation); }

// \w+|[^\w\s]+
class Whitespace : public PreTokenizer {
 public:
  void apply(SplitText& text) const override {
    text.cut_each([](std::string_view piece, auto&& part) {
      enum Kind { kSpace, kWord, kSign };
      size_t begin = 0;
      Kind last = kSpace;
      for (size_t at = 0; at < piece.size();) {
        const size_t here = at;
        const char32_t c = next_character(piece, at);
        const Kind kind = has_flag(c, CharacterFlag::kWord) ? kWord : is_space(c) ? kSpace : kSign;
        if (kind != last) {
          if (last != kSpace) part(begin, here);
          begin = here;
          last = kind;
        }
      }
      if (last != kSpace) part(begin, piece.size());
    });
  }
};

class FixedLength : public PreTokenizer {
 public:
  explicit FixedLength(uint32_t length) : length_(length) {}
  void apply(SplitText& text) const override {
    text.cut_each([this](std::string_view piece, auto&& part) {
      size_t begin = 0, count = 0;
      for (size_t at = 0; at < piece.size();) {
        at += utf8_length(piece[at]);
        if (++count % length_ == 0 || at == piece.size()) {
          part(begin, at);
          begin = at;
        }
      }
    });
  }

 private:
  uint32_t length_;
};

// Cuts where the script changes. As in the reference, characters of no script in front of the first are lost.
class UnicodeScripts : public PreTokenizer {
 public:
  void apply(SplitText& text) const override {
    text.cut_each([](std::string_view piece, auto&& part) {
      int last = 0;
      size_t begin = piece.size();
      for (size_t at = 0; at < piece.size();) {
        const size_t here = at;
        const int script = properties(next_character(piece, at)).script_group;
        if (script == 0 || script == last) continue;
        if (begin < here) part(begin, here);
        begin = here;
        last = script;
      }
      part(begin, piece.size());
    });
  }
};

class Metaspace : public PreTokenizer {
 public:
  explicit Metaspace(const Component& settings)
      : scheme_(prepend_scheme(settings)), split_(settings.boolean("split", true)), space_(Regex::literal(" ")) {
    append_character(mark_, settings.character("replacement"));
  }

  bool asks_for_start() const { return scheme_ == PrependScheme::kFirst; }

  void apply(SplitText& text) const override {
    text.rewrite_each([this](AlignedText& piece) {
      piece.replace(space_, mark_);
      const bool wanted =
          scheme_ == PrependScheme::kAlways || (scheme_ == PrependScheme::kFirst && piece.original_begin == 0);
      if (wanted && !piece.text.starts_with(mark_)) piece.prepend(mark_);
    });
    if (!split_) return;
    text.split_each(SplitBehavior::kMergedWithNext, false, [this](std::string_view piece, auto&& match) {
      for (size_t at = piece.find(mark_); at != piece.npos; at = piece.find(mark_, at + mark_.size()))
        match(at, at + mark_.size());
    });
  }

 private:
  PrependScheme scheme_;
  bool split_;
  Regex space_;
  std::string mark_;
};

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  ByteLevelPreTokenizer(const Component& settings, bool spell)
      : add_prefix_space_(settings.boolean("add_prefix_space")), spell_(spell) {
    settings.boolean("trim_offsets", true);  // for the post-processor of this name, but written here, too
    if (settings.boolean("use_regex", true))
      words_ = std::make_unique<PatternSplit>(Regex(kGpt2Pattern, settings.source(), settings.key()),
                                              SplitBehavior::kIsolated, false);
  }

  void apply(SplitText& text) const override {
    if (add_prefix_space_)
      text.rewrite_each([](AlignedText& piece) {
        if (!piece.text.starts_with(' ')) piece.prepend(" ");
      });
    if (words_) words_->apply(text);
    if (spell_) spell_bytes(text);
  }

 private:
  bool add_prefix_space_, spell_;
  std::unique_ptr<PatternSplit> words_;
};

void add_steps(const Component& c, PreTokenizerChain& chain, bool last) {
  const std::string type = c.type();
  if (chain.steps.size() >= 64) c.fail("more than 64 steps");
  const auto add = [&](std::unique_ptr<PreTokenizer> step) { chain.steps.push_back(std::move(step)); };
  if (type == "Sequence") {
    const size_t count = c.count("pretokenizers");
    for (size_t i = 0; i < count; ++i) add_steps(c.element("pretokenizers", i), chain, last && i + 1 == count);
  } else if (type == "ByteLevel") {
    add(std::make_unique<ByteLevelPreTokenizer>(c, !last));
    chain.ends_in_bytes = last;
    chain.changes_text |= !last || c.boolean("add_prefix_space");
  } else if (type == "Split") {
    add(std::make_unique<PatternSplit>(c));
  } else if (type == "Digits") {
    const bool each = c.boolean("individual_digits");
    add(split_at(is_numeric, each ? SplitBehavior::kIsolated : SplitBehavior::kContiguous));
  } else if (type == "Metaspace") {
    auto step = std::make_unique<Metaspace>(c);
    chain.prepends_at_start |= step->asks_for_start();
    chain.changes_text |= !last;
    add(std::move(step));
  } else if (type == "Whitespace") {
    add(std::make_unique<Whitespace>());
  } else if (type == "WhitespaceSplit") {
    add(split_at(is_space, SplitBehavior::kRemoved));
  } else if (type == "Punctuation") {
    add(split_at(is_punctuation, c.has("behavior") ? behavior(c, "behavior") : SplitBehavior::kIsolated));
  } else if (type == "BertPreTokenizer") {
    add(split_at(is_space, SplitBehavior::kRemoved));
    add(split_at(is_punctuation, SplitBehavior::kIsolated));
  } else if (type == "UnicodeScripts") {
    add(std::make_unique<UnicodeScripts>());
  } else if (type == "CharDelimiterSplit") {
    const char32_t delimiter = c.character("delimiter");
    add(split_at([delimiter](char32_t x) { return x == delimiter; }, SplitBehavior::kRemoved));
  } else if (type == "FixedLength") {
    const uint32_t length = c.number("length", 5);
    if (length == 0) c.fail("length is 0");
    add(std::make_unique<FixedLength>(length));
  } else {
    c.fail("unknown pre-tokenizer '" + type + "'");
  }
}

}  // namespace

PreTokenizerChain make_pre_tokenizers(const Component& component) {
  PreTokenizerChain chain;
  add_steps(component, chain, true);
  return chain;
}

void spell_bytes(SplitText& text) {
  text.rewrite_each([](AlignedText& piece) {
    piece.changes.clear();
    for (const char b : piece.text)
      piece.changes.push_back({byte_level_characters()[static_cast<uint8_t>(b)], is_utf8_continuation(b)});
    piece.transform(piece.changes);
  });
}

PrependScheme prepend_scheme(const Component& metaspace) {
  const std::string scheme = metaspace.string("prepend_scheme", "always");
  if (scheme != "first" && scheme != "never" && scheme != "always")
    metaspace.fail("unknown prepend_scheme '" + scheme + "'");
  if (!metaspace.boolean("add_prefix_space", true) && scheme != "never")
    metaspace.fail("add_prefix_space does not match prepend_scheme");
  return scheme == "first" ? PrependScheme::kFirst : scheme == "never" ? PrependScheme::kNever : PrependScheme::kAlways;
}

}  // namespace hearth::text
