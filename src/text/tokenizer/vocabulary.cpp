#include "text/tokenizer/vocabulary.h"

#include <algorithm>
#include <bit>

namespace hearth::text {

namespace {
constexpr size_t kMaxProbe = 4096;  // only spellings chosen to collide come near it
}

void Vocabulary::reserve(size_t tokens, size_t bytes) {
  bytes_.reserve(bytes);
  entries_.reserve(tokens);
  const size_t wanted = std::bit_ceil(std::max<size_t>(64, tokens + tokens / 2));
  if (wanted <= slots_.size()) return;
  std::vector<Slot> old(wanted);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.id < 0) continue;
    const std::string_view token = spelling(slot.spelling);
    slots_[slot_of(token, hash_bytes(token))] = slot;
  }
}

void Vocabulary::grow() {
  if (2 * slots_.size() < 3 * (size_ + 1)) reserve(std::max<size_t>(64, size_ * 2), bytes_.capacity());
}

// The slot of `token`, or the free one where it belongs; slots_.size() if the probe runs too long.
size_t Vocabulary::slot_of(std::string_view token, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (size_t step = 0, at = hash & mask; step < kMaxProbe; ++step, at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.id < 0) return at;
    if (slot.tag == tag && equal_bytes(spelling(slot.spelling), token)) return at;
  }
  return slots_.size();
}

Vocabulary::Added Vocabulary::add(std::string_view token, int32_t id) { return add(token, id, false); }
Vocabulary::Added Vocabulary::add_again(std::string_view token, int32_t id) { return add(token, id, true); }

Vocabulary::Added Vocabulary::add(std::string_view token, int32_t id, bool again) {
  if (size_ >= kMaxTokens || bytes_.size() + token.size() >= kAbsent) return Added::kRefused;
  if (contains(id)) return this->token(id) == token ? Added::kSpellingTaken : Added::kIdTaken;
  grow();
  const uint64_t hash = hash_bytes(token);
  const size_t at = slot_of(token, hash);
  if (at == slots_.size()) return Added::kRefused;
  if (slots_[at].id >= 0 && !again) return Added::kSpellingTaken;
  has_repeats_ |= slots_[at].id >= 0;
  if (static_cast<size_t>(id) >= entries_.size()) entries_.resize(static_cast<size_t>(id) + 1);
  const Entry entry{static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(token.size())};
  entries_[static_cast<size_t>(id)] = entry;
  bytes_ += token;
  slots_[at] = {static_cast<uint32_t>(hash >> 32), id, entry};
  ++size_;
  longest_ = std::max(longest_, token.size());
  return Added::kYes;
}

int32_t Vocabulary::find(std::string_view token, uint64_t hash) const {
  if (slots_.empty()) return -1;
  const size_t at = slot_of(token, hash);
  return at == slots_.size() ? -1 : slots_[at].id;
}

}  // namespace hearth::text
