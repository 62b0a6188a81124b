// Viterbi over byte positions: for each, the score of the best path that ends there and the token it ends with. Unknown
// characters in a row come out as one token.
#include "text/tokenizer/unigram.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "text/tokenizer/byte_fallback.h"
#include "text/tokenizer/hash.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {
constexpr double kUnknownPenalty = 10.0;  // below the worst token's score
constexpr size_t kMaxNodes = (1 << 24) - 1;
}  // namespace

uint32_t PrefixTree::child(uint32_t node, uint8_t byte) const {
  if (slots_.empty()) return 0;
  const uint32_t key = node << 8 | byte;
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash_integer(key) & mask;; at = (at + 1) & mask) {
    if (slots_[at].child == 0) return 0;
    if (slots_[at].key == key) return slots_[at].child;
  }
}

void PrefixTree::grow() {
  if (slots_.size() >= 2 * (ids_.size() + 1)) return;
  std::vector<Slot> old(std::max<size_t>(256, slots_.size() * 2));
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.child == 0) continue;
    size_t at = hash_integer(slot.key) & mask;
    while (slots_[at].child != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

bool PrefixTree::add(std::string_view token, int32_t id) {
  uint32_t node = 0;
  for (const char c : token) {
    const auto byte = static_cast<uint8_t>(c);
    uint32_t next = child(node, byte);
    if (next == 0) {
      if (ids_.size() >= kMaxNodes) return false;
      grow();
      next = static_cast<uint32_t>(ids_.size());
      ids_.push_back(-1);
      const uint32_t key = node << 8 | byte;
      const size_t mask = slots_.size() - 1;
      size_t at = hash_integer(key) & mask;
      while (slots_[at].child != 0) at = (at + 1) & mask;
      slots_[at] = {key, next};
    }
    node = next;
  }
  if (node != 0) ids_[node] = id;
  return true;
}

Unigram::Unigram(Vocabulary vocabulary, std::vector<double> scores, const UnigramOptions& options)
    : Model(std::move(vocabulary)),
      scores_(std::move(scores)),
      unk_id_(options.unk_id.value_or(-1)),
      byte_fallback_(options.byte_fallback),
      sentencepiece_(options.sentencepiece),
      fallback_(byte_fallback_ids(vocabulary_)) {
  double least = std::numeric_limits<double>::infinity();
  for (size_t id = 0; id < scores_.size(); ++id) {
    if (!options.findable.empty() && !options.findable[id]) continue;
    least = std::min(least, scores_[id]);
    if (!tree_.add(vocabulary_.token(static_cast<int32_t>(id)), static_cast<int32_t>(id)))
      throw std::invalid_argument("[Unigram] tokens too many or too long");
  }
  unknown_score_ = least - kUnknownPenalty;
  if (sentencepiece_) unknown_score_ = static_cast<float>(unknown_score_);
}

// Fills scratch.best, the score of the best path to each byte, and scratch.path, its last token (begin, end; end 0:
// no path yet).
void Unigram::find_best_path(std::string_view piece, ModelScratch& scratch) const {
  std::vector<double>& best = scratch.best;
  std::vector<Token>& path = scratch.path;
  best.assign(piece.size() + 1, 0.0);
  path.assign(piece.size() + 1, Token{-1, 0, 0});
  const auto offer = [&](size_t begin, size_t end, double score, int32_t id) {
    const double sum = score + best[begin], total = sentencepiece_ ? static_cast<float>(sum) : sum;
    if (path[end].end != 0 && !(total > best[end])) return;
    if (id < 0) fail_unknown("");
    best[end] = total;
    path[end] = {id, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
  };
  for (size_t begin = 0; begin < piece.size();) {
    const size_t length = utf8_length(piece[begin]);
    bool single = false;
    tree_.prefixes(piece.substr(begin), [&](size_t n, int32_t id) {
      offer(begin, begin + n, scores_[static_cast<size_t>(id)], id);
      single |= n == length;
    });
    if (!single) offer(begin, begin + length, unknown_score_, unk_id_);  // fails where there is no unknown token
    begin += length;
  }
}

// The reference looks each part up by its text, unknown ones too; SentencePiece goes by the path's ids.
void Unigram::add_token(std::string_view piece, const Token& token, uint32_t base, std::vector<Token>& out) const {
  const std::string_view text = piece.substr(token.begin, token.end - token.begin);
  const int32_t id = sentencepiece_ ? (token.id == unk_id_ ? -1 : token.id) : vocabulary_.find(text);
  const Token whole{id, base + token.begin, base + token.end};
  if (whole.id >= 0) return out.push_back(whole);
  if (byte_fallback_ &&
      std::all_of(text.begin(), text.end(), [&](char b) { return fallback_[static_cast<uint8_t>(b)] >= 0; })) {
    for (const char b : text) out.push_back({fallback_[static_cast<uint8_t>(b)], whole.begin, whole.end});
    return;
  }
  out.push_back({unk_id_, whole.begin, whole.end});
}

void Unigram::tokenize(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const {
  const bool short_enough = piece.size() <= WordCache::kMaxWordBytes;
  const uint64_t hash = short_enough ? hash_bytes(piece) : 0;
  if (short_enough && scratch.cache.find(piece, hash, base, out)) return;
  find_best_path(piece, scratch);
  // Back from the end; unknown neighbours are joined.
  std::vector<Token>& pieces = scratch.symbols;
  pieces.clear();
  for (uint32_t end = static_cast<uint32_t>(piece.size()); end > 0; end = scratch.path[end].begin) {
    const Token& token = scratch.path[end];
    if (!pieces.empty() && token.id == unk_id_ && pieces.back().id == unk_id_) {
      pieces.back().begin = token.begin;
    } else {
      pieces.push_back(token);
    }
  }
  const size_t first = out.size();
  for (auto token = pieces.rbegin(); token != pieces.rend(); ++token) add_token(piece, *token, base, out);
  if (short_enough && out.size() > first)
    scratch.cache.insert(piece, hash, base, {out.data() + first, out.size() - first});
}

}  // namespace hearth::text
