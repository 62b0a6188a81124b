#include "weights/resident_weights.h"

#include <gtest/gtest.h>

#include "base/huge_pages.h"
#include "weights/scratch_folder_test.h"

namespace hearth::weights {
namespace {

// Two tensors of 5 MB each in one file.
TensorSet five_megabytes_twice(const std::filesystem::path& file) {
  const mx::array numbers = mx::astype(mx::arange(0, 5 << 18, 1), mx::float32);
  mx::save_safetensors(file.string(), {{"a", numbers}, {"b", mx::negative(numbers)}});
  TensorSet tensors(file.parent_path());
  for (auto& [name, value] : mx::load_safetensors(file.string()).first) tensors.add(name, value, file);
  return tensors;
}

bool counts_up(const mx::array& values, float step) {
  for (int i = 0; i < static_cast<int>(values.size()); ++i)
    if (values.data<float>()[i] != step * static_cast<float>(i)) return false;
  return true;
}

TEST(ResidentWeights, KeepTheirValuesAfterTheMove) {
  const ScratchFolder folder;
  TensorSet tensors = five_megabytes_twice(folder / "model.safetensors");
  ResidentWeights({tensors, {.delay = std::chrono::milliseconds(0)}}).wait();
  EXPECT_TRUE(counts_up(tensors.take("a", {5 << 18}), 1));
  EXPECT_TRUE(counts_up(tensors.take("b", {5 << 18}), -1));
}

TEST(ResidentWeights, StopAtOnceWhenTheModelGoes) {
  const ScratchFolder folder;
  const TensorSet tensors = five_megabytes_twice(folder / "model.safetensors");
  const auto start = std::chrono::steady_clock::now();
  { const ResidentWeights mover(tensors, {.delay = std::chrono::hours(1)}); }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(1));
}

}  // namespace
}  // namespace hearth::weights
