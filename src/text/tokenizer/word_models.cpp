#include "text/tokenizer/word_models.h"

#include <algorithm>

#include "text/tokenizer/utf8.h"

namespace hearth::text {

WordPiece::WordPiece(Vocabulary vocabulary, std::string_view unk_token, std::string prefix, size_t max_characters)
    : Model(std::move(vocabulary)),
      unk_token_(unk_token),
      unk_id_(vocabulary_.find(unk_token)),
      prefix_(std::move(prefix)),
      max_characters_(max_characters) {}

bool WordPiece::cut(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const {
  const auto characters = std::count_if(piece.begin(), piece.end(), [](char b) { return !is_utf8_continuation(b); });
  if (static_cast<size_t>(characters) > max_characters_) return false;
  std::string& key = scratch.text;
  for (size_t begin = 0; begin < piece.size();) {
    key = begin > 0 ? prefix_ : "";
    const size_t before = key.size();
    // No token is longer than the longest; the bound must fall between characters.
    size_t end = std::min(piece.size(), begin + vocabulary_.longest_token());
    while (end > begin && end < piece.size() && is_utf8_continuation(piece[end])) --end;
    key += piece.substr(begin, end - begin);
    int32_t id = -1;
    while (end > begin && (id = vocabulary_.find(key)) < 0) {
      do --end;
      while (end > begin && is_utf8_continuation(piece[end]));
      key.resize(before + end - begin);
    }
    if (id < 0) return false;
    out.push_back({id, base + static_cast<uint32_t>(begin), base + static_cast<uint32_t>(end)});
    begin = end;
  }
  return true;
}

void WordPiece::tokenize(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const {
  const bool short_enough = piece.size() <= WordCache::kMaxWordBytes;
  const uint64_t hash = short_enough ? hash_bytes(piece) : 0;
  if (short_enough && scratch.cache.find(piece, hash, base, out)) return;
  const size_t first = out.size();
  if (!cut(piece, base, out, scratch)) {
    out.resize(first);
    if (unk_id_ < 0) fail_unknown(unk_token_);
    out.push_back({unk_id_, base, base + static_cast<uint32_t>(piece.size())});
  }
  if (short_enough && out.size() > first)
    scratch.cache.insert(piece, hash, base, {out.data() + first, out.size() - first});
}

WordLevel::WordLevel(Vocabulary vocabulary, std::string_view unk_token)
    : Model(std::move(vocabulary)), unk_token_(unk_token), unk_id_(vocabulary_.find(unk_token)) {}

void WordLevel::tokenize(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch&) const {
  int32_t id = vocabulary_.find(piece);
  if (id < 0) id = unk_id_;
  if (id < 0) fail_unknown(unk_token_);
  out.push_back({id, base, base + static_cast<uint32_t>(piece.size())});
}

}  // namespace hearth::text
