#include "weights/tensor_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/error.h"

namespace hearth::weights {

namespace {

std::string shape_text(const mx::Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += shape[i] < 0 ? "*" : std::to_string(shape[i]);
  }
  return text + "]";
}

bool matches(const mx::Shape& actual, const mx::Shape& expected) {
  if (actual.size() != expected.size()) return false;
  for (size_t i = 0; i < actual.size(); ++i)
    if (expected[i] != -1 && expected[i] != actual[i]) return false;
  return true;
}

bool is_of(TensorClass kind, mx::Dtype dtype) {
  if (kind == TensorClass::kPacked) return dtype == mx::uint32;
  return dtype == mx::float16 || dtype == mx::bfloat16 || dtype == mx::float32;
}

const char* description(TensorClass kind) {
  return kind == TensorClass::kPacked ? "uint32" : "float16, bfloat16 or float32";
}

}  // namespace

void TensorSet::add(std::string name, mx::array value, std::filesystem::path file) {
  const auto found = tensors_.find(name);
  if (found != tensors_.end())
    throw LoadError(file.string(), name, "also in " + found->second.file.filename().string());
  tensors_.emplace(std::move(name), Entry{std::move(value), std::move(file)});
}

std::optional<mx::Shape> TensorSet::shape_of(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return std::nullopt;
  return found->second.value.shape();
}

std::vector<std::string> TensorSet::names() const {
  std::vector<std::string> names;
  names.reserve(tensors_.size());
  for (const auto& [name, entry] : tensors_) names.push_back(name);
  return names;
}

mx::array TensorSet::take(std::string_view name, const mx::Shape& shape, TensorClass kind) {
  auto found = take_optional(name, shape, kind);
  if (!found) throw LoadError(folder_.string(), name, "missing tensor of shape " + shape_text(shape));
  return *std::move(found);
}

std::optional<mx::array> TensorSet::take_optional(std::string_view name, const mx::Shape& shape, TensorClass kind) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return std::nullopt;
  const Entry& entry = found->second;
  if (!matches(entry.value.shape(), shape))
    throw LoadError(
        entry.file.string(), name,
        fmt::format("has shape {}, the config asks for {}", shape_text(entry.value.shape()), shape_text(shape)));
  if (!is_of(kind, entry.value.dtype()))
    throw LoadError(entry.file.string(), name, fmt::format("is not {}", description(kind)));
  return std::move(tensors_.extract(found).mapped().value);
}

void TensorSet::drop(std::string_view name) {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) tensors_.erase(found);
}

void TensorSet::require_empty() const {
  if (tensors_.empty()) return;
  constexpr size_t kNamed = 5;
  std::vector<std::string> left = names();
  const size_t count = left.size();
  if (count > kNamed) left.resize(kNamed);
  throw LoadError(tensors_.begin()->second.file.string(), fmt::format("{}", fmt::join(left, ", ")),
                  count == 1 ? "the model has no place for this tensor"
                             : fmt::format("the model has no place for these tensors ({} in all)", count));
}

std::vector<mx::array> TensorSet::values() const {
  std::vector<mx::array> values;
  for (const auto& [name, entry] : tensors_) values.push_back(entry.value);
  return values;
}

size_t TensorSet::bytes() const {
  size_t total = 0;
  for (const auto& [name, entry] : tensors_) total += entry.value.nbytes();
  return total;
}

}  // namespace hearth::weights
