// The tensors of a model on their way into its layers: each is taken out once, by name, with the shape it must have.
//
// Strict loading: take() names what is missing or misshapen, require_empty() names what nobody took.
// Values are handles onto the mapped files; copying a set copies no weights.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/mx.h"

namespace hearth::weights {

// What a tensor may consist of.
enum class TensorClass {
  kFloating,  // float16, bfloat16 or float32
  kPacked,    // uint32: quantized values, packed
};

class TensorSet {
 public:
  // `folder` names the model in errors about tensors that are not there.
  explicit TensorSet(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Throws LoadError when `name` is there already.
  void add(std::string name, mx::array value, std::filesystem::path file);

  bool contains(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }
  // The shape of a tensor that is there; nothing otherwise.
  std::optional<mx::Shape> shape_of(std::string_view name) const;
  // Sorted.
  std::vector<std::string> names() const;

  // Takes the tensor out. An extent of -1 in `shape` matches any.
  // Throws LoadError when it is missing, has another shape or another class of dtype.
  mx::array take(std::string_view name, const mx::Shape& shape, TensorClass kind = TensorClass::kFloating);
  // The same for a tensor that may be absent.
  std::optional<mx::array> take_optional(std::string_view name, const mx::Shape& shape,
                                         TensorClass kind = TensorClass::kFloating);

  // Drops a tensor that the model does not use, if it is there.
  void drop(std::string_view name);

  // Throws LoadError naming the tensors that are left (at most five) and the file of the first.
  void require_empty() const;

  // Bytes of all tensors in the set.
  size_t bytes() const;

  // All tensors, by name.
  std::vector<mx::array> values() const;

 private:
  struct Entry {
    mx::array value;
    std::filesystem::path file;
  };

  std::filesystem::path folder_;
  std::map<std::string, Entry, std::less<>> tensors_;
};

}  // namespace hearth::weights
