#include "weights/resident_weights.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <span>
#include <vector>

#include "base/huge_pages.h"

namespace hearth::weights {

namespace {

using Bytes = std::span<const std::byte>;

// What the tensors cover, neighbours joined: in one file they lie one behind the other.
std::vector<Bytes> regions_of(const std::vector<mx::array>& tensors) {
  std::vector<Bytes> sorted;
  for (const mx::array& tensor : tensors) sorted.emplace_back(tensor.data<std::byte>(), tensor.nbytes());
  std::sort(sorted.begin(), sorted.end(), [](Bytes a, Bytes b) { return a.data() < b.data(); });
  std::vector<Bytes> regions;
  for (const Bytes& next : sorted) {
    if (!regions.empty() && regions.back().data() + regions.back().size() == next.data()) {
      regions.back() = {regions.back().data(), regions.back().size() + next.size()};
    } else {
      regions.push_back(next);
    }
  }
  return regions;
}

// False when asked to stop before.
bool sleep_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

ResidentWeights::ResidentWeights(const TensorSet& tensors, const Options& options) {
  const auto most = static_cast<size_t>(options.largest_share * static_cast<double>(available_memory()));
  if (!has_huge_pages() || tensors.bytes() > most) return;
  mover_ = std::jthread([held = tensors.values(), delay = options.delay](std::stop_token stop) {
    if (!sleep_for(delay, stop)) return;
    for (const Bytes region : regions_of(held)) move_to_huge_pages(region, stop);
  });
}

void ResidentWeights::wait() {
  if (mover_.joinable()) mover_.join();
}

}  // namespace hearth::weights
