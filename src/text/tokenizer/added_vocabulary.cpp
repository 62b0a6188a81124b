#include "text/tokenizer/added_vocabulary.h"

#include <algorithm>
#include <cstring>

#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

uint32_t StringMatcher::child(uint32_t node, uint8_t byte) const {
  const auto& children = nodes_[node].children;
  const auto it = std::lower_bound(children.begin(), children.end(), byte,
                                   [](const auto& child, uint8_t wanted) { return child.first < wanted; });
  return it != children.end() && it->first == byte ? it->second : 0;
}

void StringMatcher::add(std::string_view text, int32_t id) {
  if (text.empty()) return;
  uint32_t node = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    uint32_t next = child(node, byte);
    if (next == 0) {
      next = static_cast<uint32_t>(nodes_.size());
      nodes_.emplace_back();
      auto& children = nodes_[node].children;
      children.insert(std::upper_bound(children.begin(), children.end(), std::pair{byte, next}), {byte, next});
      if (node == 0) {
        first_[byte] = next;
        first_bytes_ += c;
      }
    }
    node = next;
  }
  if (nodes_[node].id < 0) nodes_[node].id = id;
}

std::optional<StringMatcher::Match> StringMatcher::next(std::string_view text, size_t from) const {
  if (empty()) return std::nullopt;
  for (size_t at = from; at < text.size(); ++at) {
    if (first_bytes_.size() == 1) {
      const void* found = std::memchr(text.data() + at, first_bytes_[0], text.size() - at);
      if (!found) return std::nullopt;
      at = static_cast<size_t>(static_cast<const char*>(found) - text.data());
    }
    uint32_t node = first_[static_cast<uint8_t>(text[at])];
    std::optional<Match> best;
    for (size_t end = at + 1; node != 0; ++end) {
      if (nodes_[node].id >= 0) best = Match{at, end, nodes_[node].id};
      if (end >= text.size()) break;
      node = child(node, static_cast<uint8_t>(text[end]));
    }
    if (best) return best;
  }
  return std::nullopt;
}

int32_t AddedVocabulary::add(const AddedToken& token, std::string normalized, const Vocabulary& model) {
  if (token.content.empty()) return -1;
  if (token.content.size() > kMaxTokenBytes || by_id_.size() >= kMaxTokens) return -1;
  if (const auto it = ids_.find(token.content); it != ids_.end() && by_id_.at(it->second) == token) return it->second;

  int32_t id = find_id(token.content);
  if (id < 0) id = model.find(token.content);
  if (id < 0) {
    const auto model_size = static_cast<int32_t>(model.size());
    id = model_size;
    if (!by_id_.empty() && (by_id_.rbegin()->first >= model_size || model_size == 0)) id = by_id_.rbegin()->first + 1;
  }
  if (token.normalized && normalized != token.content) normalized_content_[id] = std::move(normalized);
  ids_[token.content] = id;
  if (token.special) special_.insert(token.content);
  by_id_[id] = token;
  return id;
}

void AddedVocabulary::finish() {
  raw_ = {};
  normalized_ = {};
  for (const auto& [id, token] : by_id_) {
    if (token.normalized) {
      normalized_.add(decoded(id), id);
    } else {
      raw_.add(token.content, id);
    }
  }
}

const AddedToken* AddedVocabulary::token(int32_t id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

std::string_view AddedVocabulary::decoded(int32_t id) const {
  const auto it = normalized_content_.find(id);
  return it != normalized_content_.end() ? it->second : by_id_.at(id).content;
}

int32_t AddedVocabulary::find_id(std::string_view content) const {
  const auto it = ids_.find(std::string(content));
  return it == ids_.end() ? -1 : it->second;
}

bool AddedVocabulary::adjust(std::string_view text, size_t done, StringMatcher::Match& match) const {
  const AddedToken& token = by_id_.at(match.id);
  if (token.single_word) {
    size_t before = match.begin, after = match.end;
    if (before > 0 && has_flag(previous_character(text, before), CharacterFlag::kWord)) return false;
    if (after < text.size() && has_flag(next_character(text, after), CharacterFlag::kWord)) return false;
  }
  if (token.lstrip) {
    for (size_t at = match.begin; at > 0 && is_space(previous_character(text, at));) match.begin = at;
    match.begin = std::max(match.begin, done);
  }
  if (token.rstrip) {
    for (size_t at = match.end; at < text.size() && is_space(next_character(text, at));) match.end = at;
  }
  return true;
}

}  // namespace hearth::text
