// Python's str, operation by operation, on UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::text::jinja {

std::string lower(std::string_view text);  // knows the final sigma
std::string upper(std::string_view text);
std::string casefold(std::string_view text);
std::string capitalize(std::string_view text);
std::string title(std::string_view text);
std::string swapcase(std::string_view text);

enum class Side { kLeft, kRight, kBoth };
// Without white space, or without the characters of `chars`, at the sides.
std::string_view strip(std::string_view text, Side side);
std::string_view strip(std::string_view text, Side side, std::string_view chars);

// str.split(None, limit), str.split(separator, limit) and from the right. limit < 0: no limit.
std::vector<std::string_view> split_space(std::string_view text, long long limit, bool from_right);
std::vector<std::string_view> split(std::string_view text, std::string_view separator, long long limit,
                                    bool from_right);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);
// Bytes that white space or a line end may begin with: never fewer than split_space and split_lines find breaks.
size_t count_possible_breaks(std::string_view text);

// At most `limit` times when it is not negative.
std::string replace(std::string_view text, std::string_view old, std::string_view fresh, long long limit);

// As string_view::find, in linear time whatever the texts.
size_t find(std::string_view text, std::string_view piece, size_t from = 0);

// Occurrences that do not overlap; of "" one before each character and one at the end.
size_t count(std::string_view text, std::string_view piece);

bool is_lower(std::string_view text);
bool is_upper(std::string_view text);
bool is_title(std::string_view text);
bool is_identifier(std::string_view text);
// Not empty, and every character has one of `classes`.
bool all_have(std::string_view text, unsigned classes);

// What float() makes of decimal digits that are out of a double's range: infinity or zero.
double beyond_range(std::string_view digits);

}  // namespace hearth::text::jinja
