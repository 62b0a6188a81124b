// Decompose fully, sort combining marks by class, and for the composed forms put pairs together again. Only stretches
// of characters that the form may change are worked on; all else is copied.
#include "text/tokenizer/normalization.h"

#include <algorithm>

#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace hearth::text {

namespace {

constexpr char32_t kS = 0xAC00, kL = 0x1100, kV = 0x1161, kT = 0x11A7;
constexpr char32_t kLCount = 19, kVCount = 21, kTCount = 28, kSCount = kLCount * kVCount * kTCount;

// Where the first character at or behind `at` begins that a form may change; text.size() if there is none.
size_t next_unstable(std::string_view text, size_t at, CharacterFlag unstable) {
  while (at < text.size()) {
    if (static_cast<uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const size_t begin = at;
    if (has_flag(next_character(text, at), unstable)) return begin;
  }
  return at;
}

void copy(std::string_view text, std::vector<Change>& out) {
  for (size_t at = 0; at < text.size();) out.push_back({next_character(text, at), 0});
}

char32_t compose(char32_t a, char32_t b) {
  if (a - kL < kLCount && b - kV < kVCount) return kS + ((a - kL) * kVCount + (b - kV)) * kTCount;
  if (a - kS < kSCount && (a - kS) % kTCount == 0 && b > kT && b < kT + kTCount) return a + (b - kT);
  return composition(a, b);
}

void decompose(char32_t c, bool compatible, std::vector<Change>& out) {
  if (c - kS < kSCount) {
    const char32_t s = c - kS;
    out.push_back({kL + s / (kVCount * kTCount), 0});
    out.push_back({kV + s % (kVCount * kTCount) / kTCount, 1});
    if (s % kTCount) out.push_back({kT + s % kTCount, 1});
    return;
  }
  const auto whole = c < 0x80     ? std::u32string_view{}
                     : compatible ? compatible_decomposition(c)
                                  : canonical_decomposition(c);
  if (whole.empty()) return out.push_back({c, 0});
  for (size_t i = 0; i < whole.size(); ++i) out.push_back({whole[i], i > 0});
}

void sort_marks(std::vector<Change>& changes) {
  const auto cls = [](const Change& change) { return properties(change.character).combining_class; };
  for (auto at = changes.begin(); at != changes.end();) {
    if (cls(*at) == 0) {
      ++at;
      continue;
    }
    const auto end = std::find_if(at, changes.end(), [&](const Change& change) { return cls(change) == 0; });
    std::stable_sort(at, end, [&](const Change& a, const Change& b) { return cls(a) < cls(b); });
    at = end;
  }
}

// In place. A composite stands for all that its parts stood for: changes add up, less one for the part that went.
void recompose(std::vector<Change>& changes) {
  size_t written = 0, starter = 0;
  bool have_starter = false;
  int last_class = -1;  // of the last mark kept behind the starter, or -1
  for (const Change& change : std::vector<Change>(changes)) {
    const int cls = properties(change.character).combining_class;
    if (have_starter && last_class < cls) {
      if (const char32_t both = compose(changes[starter].character, change.character)) {
        changes[starter] = {both, changes[starter].change + change.change - 1};
        continue;
      }
    }
    if (cls == 0) {
      have_starter = true;
      starter = written;
      last_class = -1;
    } else if (have_starter) {
      last_class = cls;
    }
    changes[written++] = change;
  }
  changes.resize(written);
}

}  // namespace

bool normalize(std::string_view text, NormalForm form, std::vector<Change>& out) {
  out.clear();
  const bool compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  const bool composed = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  const CharacterFlag unstable = composed ? (compatible ? CharacterFlag::kUnstableNfkc : CharacterFlag::kUnstableNfc)
                                          : (compatible ? CharacterFlag::kUnstableNfkd : CharacterFlag::kUnstableNfd);
  size_t done = 0, at = next_unstable(text, 0, unstable);
  if (at == text.size()) return false;
  // Stretches that may change, each with the stable character in front of it, which may join them, are worked on alone:
  // nothing passes a stable character that another one follows.
  std::vector<Change> stretch;
  while (at < text.size()) {
    size_t begin = at;
    if (begin > done) previous_character(text, begin);
    size_t end = at;
    while (end < text.size()) {
      size_t next = end;
      if (!has_flag(next_character(text, next), unstable)) break;
      end = next;
    }
    copy(text.substr(done, begin - done), out);
    stretch.clear();
    for (size_t i = begin; i < end;) decompose(next_character(text, i), compatible, stretch);
    sort_marks(stretch);
    if (composed) recompose(stretch);
    out.insert(out.end(), stretch.begin(), stretch.end());
    done = end;
    at = next_unstable(text, end, unstable);
  }
  copy(text.substr(done), out);
  return true;
}

}  // namespace hearth::text
