// Each stage is a small state machine. Those that look at single tokens collect a token's fragments first; Fuse and
// JoinBytes make one endless token of all, so what follows them works on fragments.
#include "text/tokenizer/decoder.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

// A stage that turns whole tokens into whole tokens.
class TokenStage : public DecoderStage {
 public:
  void text(std::string_view fragment) override { collected_ += fragment; }
  void end_token() override {
    token(collected_);
    collected_.clear();
  }
  void finish() override {
    last();
    next_->finish();
  }

 protected:
  virtual void last() {}

 private:
  std::string collected_;
};

template <typename Stage, typename... Settings>
class StageDecoder : public Decoder {
 public:
  explicit StageDecoder(Settings... settings) : settings_(std::move(settings)...) {}
  std::unique_ptr<DecoderStage> make_stage() const override {
    return std::apply([](const auto&... s) { return std::make_unique<Stage>(s...); }, settings_);
  }

 protected:
  std::tuple<Settings...> settings_;
};

template <typename Stage, typename... Settings>
std::unique_ptr<Decoder> decoder_of(Settings... settings) {
  return std::make_unique<StageDecoder<Stage, Settings...>>(std::move(settings)...);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (text.find(from) == text.npos) return;
  std::string out;
  size_t done = 0;
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, done)) {
    out.append(text, done, at - done);
    out += to;
    done = at + from.size();
  }
  text = out.append(text, done);
}

// WordPiece's and CTC's own clean-up; transformers' differs from it.
void clean_up_token(std::string& token) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  if (token.find(' ') == token.npos) return;
  for (const auto& [from, to] : kRules) replace_all(token, from, to);
}

// Tokens spelled in byte-level stand-ins become their bytes; one with any other character stays as it is.
std::string bytes_of(std::string_view token) {
  std::string bytes;
  return append_from_byte_level(bytes, token) ? bytes : std::string(token);
}

class ByteLevelStage : public TokenStage {
 public:
  void token(std::string_view token) override { next_->token(bytes_of(token)); }
};

// Makes one token of all. Keeps back the beginning of a character that may still be completed.
class JoinBytesStage : public DecoderStage {
 public:
  void text(std::string_view fragment) override {
    bytes_ += fragment;
    flush(false);
  }
  void token(std::string_view token) override { text(token); }
  void end_token() override {}
  void finish() override {
    flush(true);
    next_->end_token();
    next_->finish();
  }

 private:
  void flush(bool all) {
    size_t at = 0;
    while (at < bytes_.size()) {
      const size_t good = valid_utf8_prefix(std::string_view(bytes_).substr(at));
      if (good > 0) next_->text(std::string_view(bytes_).substr(at, good));
      at += good;
      if (at == bytes_.size()) break;
      const Utf8Step step = utf8_step(bytes_, at);
      if (step.cut_short && !all) break;
      next_->text(kReplacementCharacter);
      at += step.length;
    }
    bytes_.erase(0, at);
  }
  std::string bytes_;
};

// <0xNN> tokens in a row become their bytes if these are UTF-8, else a U+FFFD each.
class ByteFallbackStage : public TokenStage {
 public:
  void token(std::string_view token) override {
    if (const auto byte = byte_of(token)) {
      bytes_ += *byte;
      return;
    }
    last();
    next_->token(token);
  }

 protected:
  void last() override {
    if (bytes_.empty()) return;
    if (is_valid_utf8(bytes_)) {
      next_->token(bytes_);
    } else {
      for (size_t i = 0; i < bytes_.size(); ++i) next_->token(kReplacementCharacter);
    }
    bytes_.clear();
  }

 private:
  static std::optional<char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    // As Rust reads it: a plus sign may stand before one digit.
    const size_t digits = token[3] == '+' ? 4 : 3;
    uint8_t value = 0;
    const auto [stop, error] = std::from_chars(token.data() + digits, token.data() + 5, value, 16);
    if (error != std::errc{} || stop != token.data() + 5) return std::nullopt;
    return static_cast<char>(value);
  }
  std::string bytes_;
};

class FuseStage : public DecoderStage {
 public:
  void token(std::string_view token) override { next_->text(token); }
  void text(std::string_view fragment) override { next_->text(fragment); }
  void end_token() override {}
  void finish() override {
    next_->end_token();
    next_->finish();
  }
};

// Up to `start` times the character from the front of each token, up to `stop` times from its end.
class StripStage : public DecoderStage {
 public:
  StripStage(std::string content, uint32_t start, uint32_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}

  void text(std::string_view fragment) override {
    while (cutting_ && !fragment.empty()) {
      if (cut_ < start_ && fragment.starts_with(content_)) {
        fragment.remove_prefix(content_.size());
        ++cut_;
      } else {
        cutting_ = false;
      }
    }
    if (fragment.empty()) return;
    if (stop_ == 0) return next_->text(fragment);
    size_t tail = 0;
    std::string_view front = fragment;
    while (front.ends_with(content_)) {
      front.remove_suffix(content_.size());
      ++tail;
    }
    if (!front.empty()) {
      release(held_);
      next_->text(front);
    }
    held_ += tail;
    if (held_ > stop_) release(held_ - stop_);
  }
  void end_token() override {
    held_ = 0;
    cutting_ = true;
    cut_ = 0;
    next_->end_token();
  }
  void finish() override { next_->finish(); }

 private:
  void release(size_t count) {
    for (size_t i = 0; i < count; ++i) next_->text(content_);
    held_ -= count;
  }
  std::string content_;
  uint32_t start_, stop_;
  bool cutting_ = true;
  size_t cut_ = 0, held_ = 0;
};

std::string replaced(const Regex& pattern, std::string_view content, std::string_view token) {
  std::string out;
  size_t done = 0;
  if (!token.empty())
    pattern.find(token, [&](size_t begin, size_t end) {
      out += token.substr(done, begin - done);
      out += content;
      done = end;
    });
  out += token.substr(done);
  return out;
}

class ReplaceStage : public TokenStage {
 public:
  ReplaceStage(std::shared_ptr<const Regex> pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void token(std::string_view token) override { next_->token(replaced(*pattern_, content_, token)); }

 private:
  std::shared_ptr<const Regex> pattern_;
  std::string content_;
};

// A literal replaced within a token that comes in fragments: keeps back what may be the beginning of a match.
class ReplaceLiteralStage : public DecoderStage {
 public:
  ReplaceLiteralStage(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}

  void text(std::string_view fragment) override {
    if (held_.empty()) {
      pass(fragment);
    } else {
      held_ += fragment;
      const std::string all = std::move(held_);
      held_.clear();
      pass(all);
    }
  }
  void end_token() override {
    if (!held_.empty()) next_->text(held_);
    held_.clear();
    next_->end_token();
  }
  void finish() override { next_->finish(); }

 private:
  void pass(std::string_view text) {
    size_t done = 0;
    for (size_t at = text.find(from_); at != text.npos; at = text.find(from_, done)) {
      if (at > done) next_->text(text.substr(done, at - done));
      if (!to_.empty()) next_->text(to_);
      done = at + from_.size();
    }
    text.remove_prefix(done);
    size_t keep = std::min(text.size(), from_.size() - 1);
    while (keep > 0 && !std::string_view(from_).starts_with(text.substr(text.size() - keep))) --keep;
    if (keep < text.size()) next_->text(text.substr(0, text.size() - keep));
    held_ = text.substr(text.size() - keep);
  }
  std::string from_, to_, held_;
};

class MetaspaceStage : public TokenStage {
 public:
  MetaspaceStage(std::string mark, bool prepended) : mark_(std::move(mark)), prepended_(prepended) {}

  void token(std::string_view whole) override {
    std::string token(whole);
    replace_all(token, mark_, first_ && prepended_ ? "" : " ");
    first_ = false;
    next_->token(token);
  }

 protected:
  void last() override { first_ = true; }

 private:
  std::string mark_;
  bool prepended_, first_ = true;
};

class WordPieceStage : public TokenStage {
 public:
  WordPieceStage(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}

  void token(std::string_view whole) override {
    std::string token(whole);
    if (!first_) {
      if (token.starts_with(prefix_)) {
        token.erase(0, prefix_.size());
      } else {
        token.insert(0, " ");
      }
    }
    first_ = false;
    if (cleanup_) clean_up_token(token);
    next_->token(token);
  }

 protected:
  void last() override { first_ = true; }

 private:
  std::string prefix_;
  bool cleanup_, first_ = true;
};

// The suffix becomes a space, or nothing in the last token, which is why one token is kept back.
class BpeStage : public TokenStage {
 public:
  explicit BpeStage(std::string suffix) : suffix_(std::move(suffix)) {}

  void token(std::string_view whole) override {
    std::string token(whole);
    release(" ");
    held_ = token;
  }

 protected:
  void last() override {
    release("");
    held_.reset();
  }

 private:
  void release(std::string_view replacement) {
    if (!held_) return;
    if (suffix_.empty()) {
      next_->token(*held_);
      return;
    }
    replace_all(*held_, suffix_, replacement);
    next_->token(*held_);
  }
  std::string suffix_;
  std::optional<std::string> held_;
};

class CtcStage : public TokenStage {
 public:
  CtcStage(std::string pad, std::string delimiter, bool cleanup)
      : pad_(std::move(pad)), delimiter_(std::move(delimiter)), cleanup_(cleanup) {}

  void token(std::string_view whole) override {
    std::string token(whole);
    if (previous_ && *previous_ == token) return;
    previous_ = token;
    if (!pad_.empty()) replace_all(token, pad_, "");
    if (cleanup_) {
      clean_up_token(token);
      if (!delimiter_.empty()) replace_all(token, delimiter_, " ");
    }
    if (!token.empty()) next_->token(token);
  }

 protected:
  void last() override { previous_.reset(); }

 private:
  std::string pad_, delimiter_;
  bool cleanup_;
  std::optional<std::string> previous_;
};

class JoinStage : public TokenStage {
 public:
  void token(std::string_view token) override {
    if (!first_) next_->text(" ");
    first_ = false;
    next_->token(token);
  }

 protected:
  void last() override { first_ = true; }

 private:
  bool first_ = true;
};

class ByteLevelDecoder : public StageDecoder<ByteLevelStage> {
 public:
  std::optional<std::string> map(std::string_view token) const override { return bytes_of(token); }
};

class JoinBytesDecoder : public StageDecoder<JoinBytesStage> {
 public:
  bool joins_bytes() const override { return true; }
};

class ReplaceDecoder : public StageDecoder<ReplaceStage, std::shared_ptr<const Regex>, std::string> {
 public:
  using StageDecoder::StageDecoder;
  std::optional<std::string> map(std::string_view token) const override {
    return replaced(*std::get<0>(settings_), std::get<1>(settings_), token);
  }
};

// A literal may be looked for fragment by fragment, which keeps even a Replace behind a Fuse streaming.
class ReplaceLiteralDecoder : public StageDecoder<ReplaceLiteralStage, std::string, std::string> {
 public:
  using StageDecoder::StageDecoder;
  std::optional<std::string> map(std::string_view token) const override {
    std::string out(token);
    replace_all(out, std::get<0>(settings_), std::get<1>(settings_));
    return out;
  }
};

std::unique_ptr<Decoder> make_replace(const Component& c) {
  const Component pattern = c.child("pattern");
  if (pattern.has("String") && !pattern.has("Regex") && !pattern.string("String").empty())
    return std::make_unique<ReplaceLiteralDecoder>(pattern.string("String"), c.string("content"));
  return std::make_unique<ReplaceDecoder>(std::make_shared<Regex>(c.pattern("pattern")), c.string("content"));
}

std::string character_setting(const Component& c, std::string_view name) {
  std::string out;
  append_character(out, c.character(name));
  return out;
}

// How many times as long a Replace may make a text.
double growth(const Component& replace) {
  const auto content = static_cast<double>(replace.string("content").size());
  const Component pattern = replace.child("pattern");
  if (pattern.has("Regex")) return content + 1;  // it may match between all characters
  const auto size = static_cast<double>(pattern.string("String").size());
  return size == 0 ? content + 1 : std::max(1.0, content / size);
}

// `growth_so_far`: how many times as long the decoders in `out` may make a token.
void add_decoders(const Component& c, DecoderList& out, double& growth_so_far) {
  constexpr double kMostGrowth = 4096;
  const std::string type = c.type();
  if (type == "Sequence") {
    const size_t count = c.count("decoders");
    for (size_t i = 0; i < count; ++i) add_decoders(c.element("decoders", i), out, growth_so_far);
  } else if (type == "ByteLevel") {
    c.boolean("trim_offsets", true);
    out.push_back(std::make_unique<ByteLevelDecoder>());
    out.push_back(std::make_unique<JoinBytesDecoder>());
  } else if (type == "ByteFallback") {
    out.push_back(decoder_of<ByteFallbackStage>());
  } else if (type == "Fuse") {
    out.push_back(decoder_of<FuseStage>());
  } else if (type == "Strip") {
    out.push_back(decoder_of<StripStage>(character_setting(c, "content"), c.number("start"), c.number("stop")));
  } else if (type == "Replace") {
    growth_so_far *= growth(c);
    if (growth_so_far > kMostGrowth) c.fail("the decoders make tokens more than 4096 times as long");
    out.push_back(make_replace(c));
  } else if (type == "Metaspace") {
    out.push_back(
        decoder_of<MetaspaceStage>(character_setting(c, "replacement"), prepend_scheme(c) != PrependScheme::kNever));
  } else if (type == "WordPiece") {
    out.push_back(decoder_of<WordPieceStage>(c.string("prefix"), c.boolean("cleanup")));
  } else if (type == "BPEDecoder") {
    out.push_back(decoder_of<BpeStage>(c.string("suffix")));
  } else if (type == "CTC") {
    out.push_back(decoder_of<CtcStage>(c.string("pad_token"), c.string("word_delimiter_token"), c.boolean("cleanup")));
  } else {
    c.fail("unknown decoder '" + type + "'");
  }
  if (out.size() > 64) c.fail("more than 64 decoders");
}

}  // namespace

DecoderList make_decoders(const Component& component) {
  DecoderList out;
  double growth_so_far = 1;
  add_decoders(component, out, growth_so_far);
  if (out.empty()) out.push_back(decoder_of<FuseStage>());
  return out;
}

DecoderList make_joining_decoder() {
  DecoderList out;
  out.push_back(decoder_of<JoinStage>());
  return out;
}

DecoderList make_clean_up() {
  constexpr std::pair<const char*, const char*> kRules[] = {
      {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
      {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  DecoderList out;
  out.push_back(decoder_of<FuseStage>());
  for (const auto& [from, to] : kRules)
    out.push_back(decoder_of<ReplaceLiteralStage>(std::string(from), std::string(to)));
  return out;
}

DecoderChain::DecoderChain(std::span<const Decoder* const> decoders) {
  for (const Decoder* decoder : decoders) stages_.push_back(decoder->make_stage());
  for (size_t i = 0; i < stages_.size(); ++i)
    stages_[i]->set_next(i + 1 < stages_.size() ? stages_[i + 1].get() : static_cast<DecoderStage*>(&sink_));
  first_ = stages_.empty() ? static_cast<DecoderStage*>(&sink_) : stages_.front().get();
}

void DecoderChain::Sink::text(std::string_view fragment) {
  constexpr size_t kMost = size_t{1} << 30;
  if (fragment.size() > kMost || out.size() > kMost - fragment.size())
    throw RequestError(413, "the tokens' text is longer than 1 GiB");
  out += fragment;
}

}  // namespace hearth::text
