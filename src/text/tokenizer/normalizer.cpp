// One small class for each type. Most build a list of changed characters and let AlignedText apply it.
#include "text/tokenizer/normalizer.h"

#include <vector>

#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/normalization.h"
#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

void apply_form(AlignedText& text, NormalForm form) {
  if (normalize(text.text, form, text.changes)) text.transform(text.changes);
}

void apply_lowercase(AlignedText& text) {
  text.changes.clear();
  for (size_t at = 0; at < text.text.size();) {
    const Lowered low = lowercase(next_character(text.text, at));
    text.changes.push_back({low.first, 0});
    if (low.second) text.changes.push_back({low.second, 1});
  }
  text.transform(text.changes);
}

class Form : public Normalizer {
 public:
  explicit Form(NormalForm form) : form_(form) {}
  void apply(AlignedText& text) const override { apply_form(text, form_); }

 private:
  NormalForm form_;
};

class Lowercase : public Normalizer {
 public:
  void apply(AlignedText& text) const override { apply_lowercase(text); }
};

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  void apply(AlignedText& text) const override {
    if (left_ && right_) {
      text.strip(true, true);
    } else if (left_ || right_) {
      text.strip(left_, right_);
    }
  }

 private:
  bool left_, right_;
};

class StripAccents : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    text.filter([](char32_t c) { return c < 0x80 || !has_flag(c, CharacterFlag::kCombining); });
  }
};

class Replace : public Normalizer {
 public:
  Replace(Regex pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void apply(AlignedText& text) const override { text.replace(pattern_, content_); }

 private:
  Regex pattern_;
  std::string content_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  void apply(AlignedText& text) const override { text.prepend(prefix_); }

 private:
  std::string prefix_;
};

// SentencePiece's "nmt" rules: control characters go, odd spaces become plain ones.
class Nmt : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    text.filter([](char32_t c) {
      return !((c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F ||
               c == 0x9F);
    });
    text.map([](char32_t c) {
      const bool space = c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
                         (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
                         c == 0xFFFD;
      return space ? U' ' : c;
    });
  }
};

class Bert : public Normalizer {
 public:
  explicit Bert(const Component& settings)
      : clean_text_(settings.boolean("clean_text")),
        handle_chinese_(settings.boolean("handle_chinese_chars")),
        lowercase_(settings.boolean("lowercase")),
        strip_accents_(settings.boolean("strip_accents", lowercase_)) {}

  void apply(AlignedText& text) const override {
    if (clean_text_) clean(text);
    if (handle_chinese_) pad_chinese(text);
    if (strip_accents_) {
      apply_form(text, NormalForm::kNfd);
      text.filter([](char32_t c) { return c < 0x80 || !has_flag(c, CharacterFlag::kNonspacing); });
    }
    if (lowercase_) apply_lowercase(text);
  }

 private:
  static void clean(AlignedText& text) {
    text.filter([](char32_t c) { return c != 0xFFFD && !has_flag(c, CharacterFlag::kOther); });
    text.map([](char32_t c) { return is_space(c) ? U' ' : c; });
  }

  // The ranges are BERT's own, gap included.
  static bool is_chinese(char32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
  }

  static void pad_chinese(AlignedText& text) {
    text.changes.clear();
    bool any = false;
    for (size_t at = 0; at < text.text.size();) {
      const char32_t c = next_character(text.text, at);
      if (is_chinese(c)) {
        any = true;
        text.changes.insert(text.changes.end(), {{U' ', 0}, {c, 1}, {U' ', 1}});
      } else {
        text.changes.push_back({c, 0});
      }
    }
    if (any) text.transform(text.changes);
  }

  bool clean_text_, handle_chinese_, lowercase_, strip_accents_;
};

class ByteLevelNormalizer : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    text.changes.clear();
    for (const char b : text.text)
      text.changes.push_back({byte_level_characters()[static_cast<uint8_t>(b)], is_utf8_continuation(b)});
    if (!text.text.empty()) text.transform(text.changes);
  }
};

class SequenceNormalizer : public Normalizer {
 public:
  explicit SequenceNormalizer(const Component& settings) {
    const size_t count = settings.count("normalizers");
    for (size_t i = 0; i < count; ++i) parts_.push_back(make_normalizer(settings.element("normalizers", i)));
  }
  void apply(AlignedText& text) const override {
    for (const auto& part : parts_) part->apply(text);
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

}  // namespace

std::unique_ptr<Normalizer> make_normalizer(const Component& c) {
  const std::string type = c.type();
  if (type == "Sequence") return std::make_unique<SequenceNormalizer>(c);
  if (type == "NFC") return std::make_unique<Form>(NormalForm::kNfc);
  if (type == "NFD") return std::make_unique<Form>(NormalForm::kNfd);
  if (type == "NFKC") return std::make_unique<Form>(NormalForm::kNfkc);
  if (type == "NFKD") return std::make_unique<Form>(NormalForm::kNfkd);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "Strip") return std::make_unique<Strip>(c.boolean("strip_left"), c.boolean("strip_right"));
  if (type == "StripAccents") return std::make_unique<StripAccents>();
  if (type == "Replace") return std::make_unique<Replace>(c.pattern("pattern"), c.string("content"));
  if (type == "Prepend") return std::make_unique<Prepend>(c.string("prepend"));
  if (type == "Nmt") return std::make_unique<Nmt>();
  if (type == "Precompiled") return make_precompiled(c.string("precompiled_charsmap"), c);
  if (type == "BertNormalizer") return std::make_unique<Bert>(c);
  if (type == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
  c.fail("unknown normalizer '" + type + "'");
}

}  // namespace hearth::text
