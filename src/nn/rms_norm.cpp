#include "nn/rms_norm.h"

#include "ops/add_rms_norm.h"

namespace hearth::nn {

ResidualStream& ResidualStream::operator+=(mx::array addend) {
  if (addend_) sum_ = mx::add(sum_, *addend_);
  addend_ = std::move(addend);
  return *this;
}

mx::array ResidualStream::normed(const RMSNorm& norm) {
  if (!addend_) return norm(sum_);
  auto [sum, normed] = ops::add_rms_norm(sum_, *addend_, norm.weight, norm.eps);
  sum_ = std::move(sum);
  addend_.reset();
  return normed;
}

}  // namespace hearth::nn
