// A word becomes symbols (one per character), then pairs merge in order of rank. Short words search the best pair among
// all each time, which beats any queue up to some hundred symbols. Long ones keep, for each rank, the list of positions
// where its pair stands, and a heap of the ranks. Before that, pairs that make up much of a long word (8 MB of one
// letter or emoji) merge everywhere in one sweep. Words of up to 128 bytes are remembered; in running text nine of ten
// are met again.
#include "text/tokenizer/bpe.h"

#include <algorithm>
#include <bit>
#include <queue>

#include "text/tokenizer/byte_fallback.h"
#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

constexpr uint32_t kNoRank = ~uint32_t{0};
constexpr size_t kShortWord = 160;  // symbols; where merge_long starts to win
constexpr size_t kMaxProbe = 4096;
constexpr size_t kRow = 4096;  // symbols, from which merge_rows looks

}  // namespace

void MergeTable::reserve(size_t merges) {
  const size_t wanted = std::bit_ceil(std::max<size_t>(64, merges + merges / 2));
  if (wanted <= slots_.size()) return;
  std::vector<Slot> old(wanted);
  old.swap(slots_);
  mask_ = wanted - 1;
  for (const Slot& slot : old) {
    if (slot.key == kFree) continue;
    size_t at = hash_integer(slot.key) & mask_;
    while (slots_[at].key != kFree) at = (at + 1) & mask_;
    slots_[at] = slot;
  }
}

bool MergeTable::add(int32_t left, int32_t right, Merge merge) {
  if (size_ >= kMaxMerges) return false;
  if (2 * slots_.size() < 3 * (size_ + 1)) reserve(2 * size_);
  const uint64_t key = key_of(left, right);
  size_t at = hash_integer(key) & mask_;
  for (size_t step = 0; slots_[at].key != kFree && slots_[at].key != key; at = (at + 1) & mask_)
    if (++step == kMaxProbe) return false;
  if (slots_[at].key == kFree) ++size_;
  slots_[at] = {key, merge};
  end_rank_ = std::max(end_rank_, merge.rank + 1);
  return true;
}

Bpe::Bpe(Vocabulary vocabulary, MergeTable merges, BpeOptions options)
    : Model(std::move(vocabulary)),
      merges_(std::move(merges)),
      options_(std::move(options)),
      fallback_(byte_fallback_ids(vocabulary_)) {
  if (options_.unk_token) unk_id_ = vocabulary_.find(*options_.unk_token);
  for (unsigned b = 0; b < 256; ++b) {
    std::string spelling;
    const char byte = static_cast<char>(b);
    append_byte_level(spelling, {&byte, 1});
    byte_ids_[b] = vocabulary_.find(spelling);
  }
}

bool Bpe::can_read_bytes() const {
  if (!options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty()) return false;
  return has_all_bytes() || (unk_id_ < 0 && !options_.byte_fallback);
}

bool Bpe::has_all_bytes() const { return std::find(byte_ids_.begin(), byte_ids_.end(), -1) == byte_ids_.end(); }

void Bpe::split_words_at(std::string_view mark) {
  if (!options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty() || options_.ignore_merges)
    return;
  if (vocabulary_.find(mark) < 0) return;
  // A merge crosses the mark only if some token holds the mark behind something else. Tokens that no merge makes are
  // looked at too, which can only make this more careful.
  for (int32_t id = 0; id < vocabulary_.end_id(); ++id) {
    const std::string_view token = vocabulary_.token(id);
    for (size_t at = token.find(mark); at != token.npos; at = token.find(mark, at + mark.size()))
      if (at > 0 && (at < mark.size() || token.substr(at - mark.size(), mark.size()) != mark)) return;
  }
  word_mark_ = mark;
}

void Bpe::tokenize(std::string_view piece, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const {
  if (word_mark_.empty()) return tokenize_word(piece, base, out, scratch);
  size_t begin = 0;
  while (begin < piece.size()) {
    size_t end = begin;
    while (piece.substr(end).starts_with(word_mark_)) end += word_mark_.size();
    end = std::min(piece.find(word_mark_, end), piece.size());
    tokenize_word(piece.substr(begin, end - begin), base + static_cast<uint32_t>(begin), out, scratch);
    begin = end;
  }
}

void Bpe::tokenize_word(std::string_view word, uint32_t base, std::vector<Token>& out, ModelScratch& scratch) const {
  const bool short_enough = word.size() <= WordCache::kMaxWordBytes;
  const uint64_t hash = short_enough ? hash_bytes(word) : 0;
  WordCache& cache = scratch.pieces_are_bytes ? scratch.byte_cache : scratch.cache;
  if (short_enough && cache.find(word, hash, base, out)) return;

  if (options_.ignore_merges) {
    scratch.text.clear();
    if (scratch.pieces_are_bytes && word.size() <= vocabulary_.longest_token()) append_byte_level(scratch.text, word);
    const std::string_view spelling = scratch.pieces_are_bytes ? std::string_view(scratch.text) : word;
    const int32_t id = spelling.empty() ? -1 : vocabulary_.find(spelling);
    if (id >= 0) {
      out.push_back({id, base, base + static_cast<uint32_t>(word.size())});
      if (short_enough) cache.insert(word, hash, base, {&out.back(), 1});
      return;
    }
  }
  std::vector<Token>& symbols = scratch.symbols;
  symbols.clear();
  add_symbols(word, symbols, scratch);
  if (symbols.size() <= kShortWord) {
    merge_short(symbols, scratch.ranks);
  } else if (symbols.size() < kRow || !merge_rows(symbols)) {
    merge_long(symbols, scratch);
  }
  const size_t first = out.size();
  for (const Token& symbol : symbols) out.push_back({symbol.id, base + symbol.begin, base + symbol.end});
  if (short_enough && out.size() > first) cache.insert(word, hash, base, {out.data() + first, out.size() - first});
}

// The bytes of one unknown character as <0xNN> tokens; false if any of them is missing.
bool Bpe::add_bytes(std::string_view spelling, uint32_t& position, std::vector<Token>& symbols) const {
  for (const char b : spelling)
    if (fallback_[static_cast<uint8_t>(b)] < 0) return false;
  for (const char b : spelling) {
    symbols.push_back({fallback_[static_cast<uint8_t>(b)], position, position + 1});
    ++position;
  }
  return true;
}

// Symbols' offsets are sums of the lengths before them, as in the reference: a character without any token is dropped
// and those behind it move up.
void Bpe::add_symbols(std::string_view word, std::vector<Token>& symbols, ModelScratch& scratch) const {
  uint32_t position = 0;
  if (scratch.pieces_are_bytes) {
    for (const char b : word) {
      const int32_t id = byte_ids_[static_cast<uint8_t>(b)];
      if (id < 0) {
        if (options_.unk_token) fail_unknown(*options_.unk_token);
        continue;
      }
      symbols.push_back({id, position, position + 1});
      ++position;
    }
    return;
  }
  uint32_t unknown = 0;  // bytes of the unknown token that is still open; it closes before the next known character
  const auto close_unknown = [&] {
    if (unknown == 0) return;
    symbols.push_back({unk_id_, position, position + unknown});
    position += unknown;
    unknown = 0;
  };
  const bool plain = options_.continuing_subword_prefix.empty() && options_.end_of_word_suffix.empty();
  std::string_view last;  // character looked up
  int32_t last_id = -1;
  for (size_t at = 0; at < word.size();) {
    const size_t length = utf8_length(word[at]);
    std::string_view spelling = word.substr(at, length);
    if (!plain) {
      scratch.text.clear();
      if (at > 0) scratch.text += options_.continuing_subword_prefix;
      scratch.text += spelling;
      if (at + length == word.size()) scratch.text += options_.end_of_word_suffix;
      spelling = scratch.text;
    }
    at += length;
    if (spelling != last) {
      last_id = vocabulary_.find(spelling);
      last = plain ? spelling : std::string_view();
    }
    if (const int32_t id = last_id; id >= 0) {
      close_unknown();
      symbols.push_back({id, position, position + static_cast<uint32_t>(length)});
      position += static_cast<uint32_t>(length);
      continue;
    }
    if (options_.byte_fallback && add_bytes(spelling, position, symbols)) continue;
    if (unk_id_ < 0) {
      if (options_.unk_token) fail_unknown(*options_.unk_token);
      continue;
    }
    if (!options_.fuse_unk) close_unknown();
    unknown += static_cast<uint32_t>(length);
  }
  close_unknown();
}

void Bpe::merge_short(std::vector<Token>& symbols, std::vector<uint32_t>& ranks) const {
  size_t count = symbols.size();
  if (count < 2) return;
  ranks.resize(count);
  for (size_t i = 0; i + 1 < count; ++i) ranks[i] = merges_.find(symbols[i].id, symbols[i + 1].id).rank;
  for (;;) {
    size_t best = 0;
    uint32_t best_rank = kNoRank;
    for (size_t i = 0; i + 1 < count; ++i) {
      if (ranks[i] < best_rank) {
        best_rank = ranks[i];
        best = i;
      }
    }
    if (best_rank == kNoRank) break;
    symbols[best].id = merges_.find(symbols[best].id, symbols[best + 1].id).id;
    symbols[best].end = symbols[best + 1].end;
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
    ranks.erase(ranks.begin() + static_cast<ptrdiff_t>(best) + 1);
    --count;
    if (best + 1 < count) ranks[best] = merges_.find(symbols[best].id, symbols[best + 1].id).rank;
    if (best > 0) ranks[best - 1] = merges_.find(symbols[best - 1].id, symbols[best].id).rank;
  }
  symbols.resize(count);
}

// Merges the best pair everywhere, again and again, while that is worth a sweep: it stands at one of 32 places, or the
// symbols are long rows of the same. True when nothing is left to merge.
bool Bpe::merge_rows(std::vector<Token>& symbols) const {
  for (;;) {
    MergeTable::Merge best, merge;
    int32_t left = -1, right = -1, best_left = -1, best_right = -1;
    size_t times = 0, changes = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      if (symbols[i].id != left || symbols[i + 1].id != right) {
        left = symbols[i].id;
        right = symbols[i + 1].id;
        merge = merges_.find(left, right);
        ++changes;
        if (merge.rank < best.rank) {
          best = merge;
          best_left = left;
          best_right = right;
          times = 0;
        }
      }
      times += merge.rank == best.rank;
    }
    if (best.rank == kNoRank) return true;
    if (times < symbols.size() / 32 && changes > symbols.size() / 64) return false;
    if (!merge_everywhere(symbols, best_left, best_right)) return false;
  }
}

// Merges a pair that no other comes before, from the left. Stops, with false, where that makes a pair which would have
// its turn before the rest.
bool Bpe::merge_everywhere(std::vector<Token>& symbols, int32_t left, int32_t right) const {
  const MergeTable::Merge merge = merges_.find(left, right);
  const auto comes_later = [&](int32_t a, int32_t b) { return merges_.find(a, b).rank > merge.rank; };
  size_t kept = 0, i = 0;
  bool in_order = true;
  int32_t before = -1, behind = -1;  // neighbours found to be harmless
  while (i < symbols.size() && in_order) {
    Token symbol = symbols[i++];
    if (symbol.id == left && i < symbols.size() && symbols[i].id == right) {
      symbol.id = merge.id;
      symbol.end = symbols[i++].end;
      if (kept > 0 && symbols[kept - 1].id != before) {
        before = symbols[kept - 1].id;
        in_order &= comes_later(before, merge.id);
      }
      if (i < symbols.size() && symbols[i].id != behind) {
        behind = symbols[i].id;
        in_order &= comes_later(merge.id, behind);
      }
    }
    symbols[kept++] = symbol;
  }
  symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(kept), symbols.begin() + static_cast<ptrdiff_t>(i));
  return in_order;
}

void Bpe::merge_long(std::vector<Token>& symbols, ModelScratch& scratch) const {
  struct Link {
    int32_t previous, next;
  };
  struct Bucket {  // places where the pair of one rank was seen; sorted from `head` on unless said otherwise
    uint32_t rank;
    int32_t merged;
    std::vector<uint32_t> places;
    size_t head = 0;
    bool sorted = true, queued = false;
  };
  const size_t count = symbols.size();
  std::vector<Link> links(count);
  std::vector<Bucket> buckets;
  std::vector<int32_t>& bucket_of = scratch.bucket_of;
  if (bucket_of.size() < merges_.end_rank()) bucket_of.resize(merges_.end_rank(), -1);
  struct Reset {  // also where memory runs out: the scratch is used again
    std::vector<int32_t>& bucket_of;
    const std::vector<Bucket>& buckets;
    ~Reset() {
      for (const Bucket& bucket : buckets) bucket_of[bucket.rank] = -1;
    }
  } const reset{bucket_of, buckets};
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> waiting;

  const auto note = [&](size_t place, const MergeTable::Merge& merge) {
    if (merge.rank == kNoRank) return;
    int32_t& index = bucket_of[merge.rank];
    if (index < 0) {
      buckets.push_back({merge.rank, merge.id, {}, 0, true, false});
      index = static_cast<int32_t>(buckets.size()) - 1;
    }
    Bucket& bucket = buckets[static_cast<size_t>(index)];
    if (bucket.head < bucket.places.size() && bucket.places.back() > place) bucket.sorted = false;
    bucket.places.push_back(static_cast<uint32_t>(place));
    if (!bucket.queued) waiting.push(merge.rank);
    bucket.queued = true;
  };
  for (size_t i = 0; i < count; ++i) {
    links[i] = {static_cast<int32_t>(i) - 1, i + 1 < count ? static_cast<int32_t>(i) + 1 : -1};
    if (i + 1 < count) note(i, merges_.find(symbols[i].id, symbols[i + 1].id));
  }
  while (!waiting.empty()) {
    const uint32_t rank = waiting.top();
    const auto index = static_cast<size_t>(bucket_of[rank]);
    if (!buckets[index].sorted) {
      Bucket& bucket = buckets[index];
      std::sort(bucket.places.begin() + static_cast<ptrdiff_t>(bucket.head), bucket.places.end());
      bucket.sorted = true;
    }
    const size_t place = buckets[index].places[buckets[index].head++];
    if (buckets[index].head == buckets[index].places.size()) {
      buckets[index].places.clear();
      buckets[index].head = 0;
      buckets[index].queued = false;
      waiting.pop();
    }
    // The pair may be gone by now, or be another.
    Token& symbol = symbols[place];
    if (symbol.begin == symbol.end || links[place].next < 0) continue;
    const auto next = static_cast<size_t>(links[place].next);
    const int32_t merged = buckets[index].merged;
    if (merges_.find(symbol.id, symbols[next].id).id != merged) continue;
    symbol.id = merged;
    symbol.end = symbols[next].end;
    symbols[next].begin = symbols[next].end;
    links[place].next = links[next].next;
    if (links[next].next >= 0) links[static_cast<size_t>(links[next].next)].previous = static_cast<int32_t>(place);
    if (links[place].previous >= 0) {
      const auto previous = static_cast<size_t>(links[place].previous);
      note(previous, merges_.find(symbols[previous].id, symbol.id));
    }
    if (links[place].next >= 0)
      note(place, merges_.find(symbol.id, symbols[static_cast<size_t>(links[place].next)].id));
  }
  std::erase_if(symbols, [](const Token& symbol) { return symbol.begin == symbol.end; });
}

}  // namespace hearth::text
