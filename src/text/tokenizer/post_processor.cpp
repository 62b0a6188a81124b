#include "text/tokenizer/post_processor.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  if (to.empty()) return to.swap(from);
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// Takes white space at the ends of tokens out of their offsets. `prefixed`: one space at the text's start is not there.
void trim_offsets(Encoding& encoding, bool prefixed) {
  constexpr char32_t kSpelledSpace = 0x120;  // how the byte level spells a space
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const std::string_view token = encoding.tokens[i];
    uint32_t leading = 0, trailing = 0;
    bool only_space = true;
    for (size_t at = 0; at < token.size();) {
      const char32_t c = next_character(token, at);
      if (c == kSpelledSpace || is_space(c)) {
        leading += only_space;
        ++trailing;
      } else {
        only_space = false;
        trailing = 0;
      }
    }
    auto& [begin, end] = encoding.offsets[i];
    if (leading > 0) {
      if (prefixed && leading == 1 && (i == 0 || begin == 0)) leading = 0;
      begin = std::min(begin + leading, end);
    }
    if (trailing > 0 && end >= trailing) end = std::max(end - trailing, begin);
  }
}

class ByteLevelPostProcessor : public PostProcessor {
 public:
  explicit ByteLevelPostProcessor(const Component& c)
      : prefixed_(c.boolean("add_prefix_space")), trim_(c.boolean("trim_offsets")) {}
  void apply(std::vector<Encoding>& parts, bool) const override {
    if (!trim_) return;
    for (Encoding& part : parts) trim_offsets(part, prefixed_);
  }
  size_t added_tokens() const override { return 0; }

 private:
  bool prefixed_, trim_;
};

// What a template is made of: tokens, or the text itself.
struct Piece {
  bool is_text = false;
  int32_t type_id = 0;
  Encoding tokens;
};

class Template : public PostProcessor {
 public:
  explicit Template(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {}

  void apply(std::vector<Encoding>& parts, bool add_special_tokens) const override {
    std::vector<Encoding> out;
    auto texts = std::count_if(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.is_text; });
    for (const Piece& piece : pieces_) {
      if (piece.is_text) {
        Encoding text;
        if (!parts.empty() && --texts == 0) {
          text = std::move(parts.front());
        } else if (!parts.empty()) {
          text = parts.front();
        }
        std::fill(text.type_ids.begin(), text.type_ids.end(), piece.type_id);
        out.push_back(std::move(text));
      } else if (add_special_tokens) {
        out.push_back(piece.tokens);
      }
    }
    parts = std::move(out);
  }
  size_t added_tokens() const override {
    size_t count = 0;
    for (const Piece& piece : pieces_) count += piece.tokens.ids.size();
    return count;
  }

 private:
  std::vector<Piece> pieces_;
};

Encoding named_tokens(const Component& special, int32_t type_id) {
  Encoding out;
  const Json& ids = special.child("ids").json();
  const Json& tokens = special.child("tokens").json();
  if (!ids.is_array() || !tokens.is_array() || ids.size() != tokens.size()) special.fail("ids and tokens do not match");
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!ids[i].is_number_unsigned() || ids[i].get<uint64_t>() > 0x7FFFFFFF || !tokens[i].is_string())
      special.fail("not a token id and its token");
    join(out, special_tokens(1, ids[i].get<int32_t>(), tokens[i].get<std::string>(), type_id));
  }
  return out;
}

std::unique_ptr<PostProcessor> read_template(const Component& c) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < c.count("single"); ++i) {
    const Component item = c.element("single", i);
    Piece piece;
    if (item.has("Sequence")) {
      const Component sequence = item.child("Sequence");
      if (sequence.string("id") != "A") sequence.fail("a single template holds only sequence A");
      piece.is_text = true;
      piece.type_id = static_cast<int32_t>(sequence.number("type_id"));
    } else {
      const Component special = item.child("SpecialToken");
      piece.type_id = static_cast<int32_t>(special.number("type_id"));
      piece.tokens = named_tokens(c.child("special_tokens").child(special.string("id")), piece.type_id);
    }
    pieces.push_back(std::move(piece));
  }
  return std::make_unique<Template>(std::move(pieces));
}

// [CLS] text [SEP], as ["[CLS]", 101] pairs name them.
class Surround : public PostProcessor {
 public:
  Surround(const Component& c, bool roberta)
      : first_(token(c, "cls")),
        last_(token(c, "sep")),
        roberta_(roberta),
        trim_(roberta && c.boolean("trim_offsets")),
        prefixed_(roberta && c.boolean("add_prefix_space")) {}

  void apply(std::vector<Encoding>& parts, bool add_special_tokens) const override {
    for (Encoding& part : parts) {
      if (trim_) trim_offsets(part, prefixed_);
      if (roberta_) std::fill(part.type_ids.begin(), part.type_ids.end(), 0);
    }
    if (!add_special_tokens || parts.empty()) return;
    Encoding whole = first_;
    join(whole, std::move(parts.front()));
    join(whole, Encoding(last_));
    parts.front() = std::move(whole);
  }
  size_t added_tokens() const override { return 2; }

 private:
  static Encoding token(const Component& c, std::string_view name) {
    const Json& pair = c.child(name).json();
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number_unsigned() ||
        pair[1].get<uint64_t>() > 0x7FFFFFFF)
      c.child(name).fail("not a token and its id");
    return special_tokens(1, pair[1].get<int32_t>(), pair[0].get<std::string>(), 0);
  }
  Encoding first_, last_;
  bool roberta_, trim_, prefixed_;
};

class SequencePostProcessor : public PostProcessor {
 public:
  explicit SequencePostProcessor(const Component& c) {
    for (size_t i = 0; i < c.count("processors"); ++i)
      steps_.push_back(make_post_processor(c.element("processors", i)));
  }
  void apply(std::vector<Encoding>& parts, bool add_special_tokens) const override {
    for (const auto& step : steps_) step->apply(parts, add_special_tokens);
  }
  size_t added_tokens() const override {
    size_t count = 0;
    for (const auto& step : steps_) count += step->added_tokens();
    return count;
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> steps_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_post_processor(const Component& c) {
  const std::string type = c.type();
  if (type == "ByteLevel") return std::make_unique<ByteLevelPostProcessor>(c);
  if (type == "TemplateProcessing") return read_template(c);
  if (type == "BertProcessing") return std::make_unique<Surround>(c, false);
  if (type == "RobertaProcessing") return std::make_unique<Surround>(c, true);
  if (type == "Sequence") return std::make_unique<SequencePostProcessor>(c);
  c.fail("unknown post-processor '" + type + "'");
}

std::unique_ptr<PostProcessor> make_template(std::vector<std::pair<int32_t, std::string>> before,
                                             std::vector<std::pair<int32_t, std::string>> behind) {
  std::vector<Piece> pieces;
  for (const auto& [id, token] : before) pieces.push_back({false, 0, special_tokens(1, id, token, 0)});
  pieces.push_back({true, 0, {}});
  for (const auto& [id, token] : behind) pieces.push_back({false, 0, special_tokens(1, id, token, 0)});
  return std::make_unique<Template>(std::move(pieces));
}

void join(Encoding& whole, Encoding&& part) {
  append(whole.ids, std::move(part.ids));
  append(whole.tokens, std::move(part.tokens));
  append(whole.offsets, std::move(part.offsets));
  append(whole.type_ids, std::move(part.type_ids));
  append(whole.special_tokens_mask, std::move(part.special_tokens_mask));
  append(whole.attention_mask, std::move(part.attention_mask));
}

Encoding slice(const Encoding& e, size_t begin, size_t end) {
  const auto cut = [&](const auto& all) {
    return std::decay_t<decltype(all)>(all.begin() + static_cast<ptrdiff_t>(begin),
                                       all.begin() + static_cast<ptrdiff_t>(end));
  };
  return {cut(e.ids),           cut(e.tokens), cut(e.offsets), cut(e.type_ids), cut(e.special_tokens_mask),
          cut(e.attention_mask)};
}

Encoding special_tokens(size_t count, int32_t id, std::string_view token, int32_t type_id) {
  Encoding out;
  out.ids.assign(count, id);
  out.tokens.assign(count, std::string(token));
  out.offsets.assign(count, {0, 0});
  out.type_ids.assign(count, type_id);
  out.special_tokens_mask.assign(count, 1);
  out.attention_mask.assign(count, 1);
  return out;
}

}  // namespace hearth::text
