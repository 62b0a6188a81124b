// Tokens added on top of a model's vocabulary, found in the text before the model sees it.
//
// Source: huggingface/tokenizers AddedVocabulary: leftmost-longest matches; those not normalized are looked for in the
//         text as given, the others in the normalized text between them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/tokenizer/vocabulary.h"

namespace hearth::text {

struct AddedToken {
  std::string content;
  bool single_word = false, lstrip = false, rstrip = false, normalized = true, special = false;
  bool operator==(const AddedToken&) const = default;
};

// Finds the leftmost of a set of strings, the longest of those that begin there.
class StringMatcher {
 public:
  void add(std::string_view text, int32_t id);
  bool empty() const { return nodes_.size() <= 1; }
  struct Match {
    size_t begin, end;
    int32_t id;
  };
  // The first match at or behind `from`.
  std::optional<Match> next(std::string_view text, size_t from) const;

 private:
  struct Node {
    std::vector<std::pair<uint8_t, uint32_t>> children;  // sorted by byte
    int32_t id = -1;
  };
  uint32_t child(uint32_t node, uint8_t byte) const;
  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::array<uint32_t, 256> first_{};  // the root's children, 0 for none
  std::string first_bytes_;            // those that occur
};

class AddedVocabulary {
 public:
  static constexpr size_t kMaxTokens = 50'000, kMaxTokenBytes = 4096;

  // Adds `token`, or changes its flags if it is there. A token the model has keeps the model's id, others get the next
  // free one. `normalized` is its content as the normalizer leaves it. Returns its id, or -1 if a limit is passed.
  int32_t add(const AddedToken& token, std::string normalized, const Vocabulary& model);
  // Call once all are added, before find().
  void finish();

  // Looks for raw (`normalized` false) or normalized tokens; calls part(begin, end, id), id -1 for what lies between.
  template <typename Part>
  void find(std::string_view text, bool normalized, Part&& part) const;
  bool has_raw() const { return !raw_.empty(); }
  bool has_normalized() const { return !normalized_.empty(); }

  const AddedToken* token(int32_t id) const;
  // The spelling that decoders see: the normalized one.
  std::string_view decoded(int32_t id) const;
  int32_t find_id(std::string_view content) const;
  bool is_special_content(std::string_view content) const { return special_.contains(std::string(content)); }
  const std::map<int32_t, AddedToken>& tokens() const { return by_id_; }

 private:
  // Widens a match by the token's flags; false if it is no single word though it should be.
  bool adjust(std::string_view text, size_t done, StringMatcher::Match& match) const;

  std::map<int32_t, AddedToken> by_id_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_map<int32_t, std::string> normalized_content_;
  std::unordered_set<std::string> special_;
  StringMatcher raw_, normalized_;
};

template <typename Part>
void AddedVocabulary::find(std::string_view text, bool normalized, Part&& part) const {
  const StringMatcher& matcher = normalized ? normalized_ : raw_;
  size_t done = 0, from = 0;
  while (auto match = matcher.next(text, from)) {
    from = match->end;
    if (!adjust(text, done, *match)) continue;
    if (done < match->begin) part(done, match->begin, int32_t{-1});
    part(match->begin, match->end, match->id);
    done = match->end;
  }
  if (done < text.size()) part(done, text.size(), int32_t{-1});
}

}  // namespace hearth::text
