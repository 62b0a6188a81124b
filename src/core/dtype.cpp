// Promotion follows MLX's lattice: bool < integers < floats < complex; two integers of unlike sign meet in the next
// wider signed type (uint64 with any signed integer: float32), the two 16-bit floats in float32, an integer never
// widens a float.
#include "core/dtype.h"

#include <algorithm>

namespace hearth::core {

namespace {

using Val = Dtype::Val;
using Category = Dtype::Category;

bool is_unsigned(Val v) { return v >= Val::uint8 && v <= Val::uint64; }
bool is_signed(Val v) { return v >= Val::int8 && v <= Val::int64; }
bool is_float(Val v) { return v >= Val::float16 && v <= Val::bfloat16; }

Dtype signed_of(int bytes) { return bytes == 1 ? int8 : bytes == 2 ? int16 : bytes == 4 ? int32 : int64; }

Category category_of(Val v) {
  if (is_unsigned(v)) return Category::unsignedinteger;
  if (is_signed(v)) return Category::signedinteger;
  if (is_float(v)) return Category::floating;
  return v == Val::complex64 ? Category::complexfloating : Category::generic;
}

Category parent(Category c) {
  switch (c) {
    case Category::complexfloating:
    case Category::floating: return Category::inexact;
    case Category::signedinteger:
    case Category::unsignedinteger: return Category::integer;
    case Category::inexact:
    case Category::integer: return Category::number;
    default: return Category::generic;
  }
}

Dtype promote_floats(const Dtype& a, const Dtype& b) {
  if (a == b) return a;
  if (a == float64 || b == float64) return float64;
  return float32;  // float16 with bfloat16, or either with float32
}

Dtype promote_integers(const Dtype& a, const Dtype& b) {
  const bool unlike = is_unsigned(a) != is_unsigned(b);
  if (!unlike) return a.size() >= b.size() ? a : b;
  const Dtype u = is_unsigned(a) ? a : b, s = is_unsigned(a) ? b : a;
  if (u == uint64) return float32;
  return signed_of(std::max<int>(s.size(), 2 * u.size()));
}

}  // namespace

Dtype promote_types(const Dtype& a, const Dtype& b) {
  if (a == b) return a;
  if (a == complex64 || b == complex64) return complex64;
  if (is_float(a) && is_float(b)) return promote_floats(a, b);
  if (is_float(a)) return a;
  if (is_float(b)) return b;
  if (a == bool_) return b;
  if (b == bool_) return a;
  return promote_integers(a, b);
}

bool issubdtype(const Category& a, const Category& b) {
  if (a == b || b == Category::generic) return true;
  for (Category c = a; c != Category::generic; c = parent(c)) {
    if (c == b) return true;
  }
  return false;
}
bool issubdtype(const Dtype& a, const Category& b) { return issubdtype(category_of(a), b); }
bool issubdtype(const Category&, const Dtype&) { return false; }
bool issubdtype(const Dtype& a, const Dtype& b) { return a == b; }

Dtype::Kind kindof(const Dtype& t) {
  if (t == bool_) return Dtype::Kind::b;
  if (t == bfloat16) return Dtype::Kind::V;
  if (t == complex64) return Dtype::Kind::c;
  return is_float(t) ? Dtype::Kind::f : is_unsigned(t) ? Dtype::Kind::u : Dtype::Kind::i;
}

const char* dtype_to_string(Dtype t) {
  constexpr const char* names[] = {"bool",  "uint8", "uint16",  "uint32",  "uint64",  "int8",     "int16",
                                   "int32", "int64", "float16", "float32", "float64", "bfloat16", "complex64"};
  return names[static_cast<int>(t.val())];
}

std::ostream& operator<<(std::ostream& os, const Dtype& t) { return os << dtype_to_string(t); }

}  // namespace hearth::core
