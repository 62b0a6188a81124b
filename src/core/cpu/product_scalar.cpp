// The specification of dense products, and the fallback on CPUs without AVX2. Values of 16-bit types are brought to
// float32 exactly.
// Order along K: element k goes to lane k % 16, its product not rounded before; lanes are added in halves.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/thread_pool.h"
#include "core/cpu/product.h"
#include "core/cpu/vector_scalar.h"

namespace hearth::cpu {

namespace {

template <class T>
void widen(const T* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i++) to[i] = to_float(from[i]);
}

float dot(const float* x, const float* w, int64_t k) {
  float lanes[16] = {};
  for (int64_t i = 0; i < k; i++) lanes[i % 16] = multiply_add(x[i], w[i], lanes[i % 16]);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

template <class T>
void matmul_of(const MatmulArgs& a) {
  std::vector<float> rows(static_cast<size_t>(a.m * a.k));
  for (int64_t i = 0; i < a.m; i++) widen(static_cast<const T*>(a.x) + i * a.x_stride, a.k, rows.data() + i * a.k);
  const size_t grain = static_cast<size_t>(std::max<int64_t>(1, 8192 / std::max<int64_t>(a.m * a.k, 1)));
  parallel_for(static_cast<size_t>(a.n), grain, [&](size_t begin, size_t end) {
    std::vector<float> w(static_cast<size_t>(a.k));
    for (int64_t j = static_cast<int64_t>(begin); j < static_cast<int64_t>(end); j++) {
      widen(static_cast<const T*>(a.w) + j * a.w_stride, a.k, w.data());
      for (int64_t i = 0; i < a.m; i++) {
        static_cast<T*>(a.y)[i * a.y_stride + j] = from_float<T>(dot(rows.data() + i * a.k, w.data(), a.k));
      }
    }
  });
}

}  // namespace

void matmul_scalar(const MatmulArgs& args) {
  if (args.type == Dtype::kFloat32) return matmul_of<float>(args);
  if (args.type == Dtype::kFloat16) return matmul_of<Float16>(args);
  matmul_of<Bfloat16>(args);
}

}  // namespace hearth::cpu
