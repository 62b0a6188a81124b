// Prints as MLX does: nested brackets, at most six entries of an axis (three from each end), and the type.
#include <sstream>

#include "core/array.h"
#include "core/dispatch.h"

namespace hearth::core {

namespace {

template <typename T>
void print_element(std::ostream& os, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    os << (value ? "True" : "False");
  } else if constexpr (sizeof(T) == 1) {
    os << static_cast<int>(value);
  } else {
    os << value;
  }
}

template <typename T>
void print_axis(std::ostream& os, const array& a, const T* from, size_t axis) {
  if (axis == a.ndim()) return print_element(os, *from);
  constexpr int kShown = 3;
  const int n = a.shape()[axis];
  const bool rows = axis + 1 < a.ndim();
  const std::string gap = rows ? "," + std::string(a.ndim() - axis - 1, '\n') + std::string(7 + axis, ' ') : ", ";
  os << "[";
  for (int i = 0; i < n; ++i) {
    if (i > 0) os << gap;
    if (n > 2 * kShown && i == kShown) {
      os << "...";
      i = n - kShown - 1;
      continue;
    }
    print_axis(os, a, from + i * a.strides()[axis], axis + 1);
  }
  os << "]";
}

}  // namespace

std::ostream& operator<<(std::ostream& os, array a) {
  a.eval();
  os << "array(";
  dispatch_all(a.dtype(), [&]<typename T>(type_tag<T>) { print_axis(os, a, a.data<T>(), 0); });
  return os << ", dtype=" << a.dtype() << ")";
}

}  // namespace hearth::core
