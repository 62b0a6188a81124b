// Private to cache: what the kinds do alike with their two arrays [Hkv, C, D].
#pragma once

#include <optional>

#include "core/mx.h"

namespace hearth::cache {

// The array with `rows` rows; made like x [T, Hkv, D] where there is none.
mx::array with_rows(std::optional<mx::array> cache, const mx::array& x, int rows);

// A copy of its own.
std::optional<mx::array> copied(const std::optional<mx::array>& cache);

size_t bytes_of(const std::optional<mx::array>& cache);

}  // namespace hearth::cache
