#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "core/mx.h"
#include "core/observe.h"
#include "core/primitive.h"

namespace hearth::core {
namespace {

array chain(array x, int length) {
  const array one(1.0f);
  for (int i = 0; i < length; ++i) x = add(x, one);
  return x;
}

TEST(Eval, RunsAndDropsGraphsOfAMillionNodes) {
  EXPECT_EQ(chain(array(0.0f), 1'000'000).item<float>(), 1e6f);
  { const array never = chain(array(0.0f), 1'000'000); }
}

TEST(Eval, LetsGoOfTheGraph) {
  const array a({1.0f, 2.0f});
  array b = a + a;
  EXPECT_TRUE(b.has_primitive());
  EXPECT_FALSE(b.is_available());
  eval(b);
  EXPECT_FALSE(b.has_primitive());
  EXPECT_TRUE(b.inputs().empty());
  EXPECT_TRUE(b.is_available());
}

TEST(Eval, TellsAnObservationWhatItComputesInOrder) {
  std::string names;
  std::vector<float> values;
  const array a({1.0f, 4.0f});
  {
    const Observation observation([&](const Primitive& primitive, Arrays outputs) {
      names += std::string(primitive.name()) + " ";
      for (const array& output : outputs) values.push_back(output.data<float>()[0]);
    });
    eval(sqrt(a) + a);
    eval(split(a + a, 2)[1]);
  }
  eval(a - a);
  EXPECT_EQ(names, "Sqrt Add Add Slice ");
  EXPECT_EQ(values, (std::vector<float>{1, 2, 2, 8}));
}

TEST(Eval, MemoryStartsAsZerosUnderObservation) {
  { array(zeros({1000}) + 1.0f).eval(); }  // leaves a used block behind
  const Observation observation([](const Primitive&, Arrays) {});
  array out = zeros({1000}) + 2.0f;
  allocate(out);
  const float* data = static_cast<const float*>(out.storage()->data());
  EXPECT_TRUE(std::all_of(data, data + 1000, [](float x) { return x == 0; }));
}

TEST(Eval, ComputesSharedNodesOnce) {
  const array a = exp(array({1.0f, 2.0f}));
  array b = a + a, c = b * b;
  eval(b, c);
  EXPECT_TRUE(a.is_available());
  EXPECT_EQ(take(c, 0).item<float>(), take(b, 0).item<float>() * take(b, 0).item<float>());
}

TEST(Eval, DyingInputsGiveTheirMemoryToTheOutput) {
  array a = zeros({1000});
  eval(a);
  const float* memory = a.data<float>();
  a = exp(a);
  eval(a);
  EXPECT_EQ(a.data<float>(), memory);
  array b = a + 1.0f;  // a lives on
  eval(b);
  EXPECT_NE(b.data<float>(), memory);
  EXPECT_EQ(b.data<float>()[999], 2.0f);
  EXPECT_EQ(a.data<float>()[999], 1.0f);
}

TEST(Eval, SliceUpdatesOfADyingArrayHappenInPlace) {
  array cache = zeros({4, 8});
  eval(cache);
  const float* memory = cache.data<float>();
  for (int i = 0; i < 4; ++i) {
    cache = slice_update(cache, full({1, 8}, float(i)), {i, 0}, {i + 1, 8});
    eval(cache);
    EXPECT_EQ(cache.data<float>(), memory);
  }
  EXPECT_EQ(sum(cache).item<float>(), 8.0f * (0 + 1 + 2 + 3));
}

TEST(Eval, MemorySeenByAViewIsNotOverwritten) {
  array a = arange(8.0);
  eval(a);
  const array view = slice(a, {0}, {4});
  array(view).eval();
  a = negative(a);
  eval(a);
  EXPECT_EQ(sum(view).item<float>(), 6.0f);
}

TEST(Eval, SeveralOutputsOfOnePrimitiveAreIndependent) {
  const array w = reshape(arange(128.0), {2, 64});
  std::vector<array> q = quantize(w);
  const array scales = q[1];
  q.clear();
  EXPECT_EQ(scales.shape(), (Shape{2, 1}));
  EXPECT_NE(take(scales, 0).item<float>(), 0.0f);
}

class Failing final : public ComparablePrimitive<Failing> {
 public:
  Failing(Stream s, std::atomic<bool>& fails) : ComparablePrimitive(s), fails_(fails) {}
  auto state() const { return std::tuple(); }
  const char* name() const override { return "Failing"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    if (fails_) throw std::runtime_error("planned");
    share(outputs[0], inputs[0]);
  }

 private:
  std::atomic<bool>& fails_;
};

array failing(const array& a, std::atomic<bool>& fails, StreamOrDevice s = {}) {
  return array(a.shape(), a.dtype(), std::make_shared<Failing>(to_stream(s), fails), {a});
}

TEST(Eval, AFailedGraphCanBeEvaluatedAgain) {
  std::atomic<bool> fails = true;
  array a = failing(array({1.0f}) + 1.0f, fails) + 1.0f;
  EXPECT_THROW(eval(a), std::runtime_error);
  fails = false;
  EXPECT_EQ(a.item<float>(), 3.0f);
}

TEST(Eval, AsynchronousErrorsArriveWhereTheResultIsRead) {
  std::atomic<bool> fails = true;
  array a = failing(array({1.0f}), fails) + 1.0f;
  async_eval(a);
  EXPECT_THROW(a.item<float>(), std::runtime_error);
  EXPECT_THROW(synchronize(), std::runtime_error);
  synchronize();
}

TEST(Eval, AGraphThatFailedHalfWayCanBeEvaluatedAgain) {
  std::atomic<bool> fails = true;
  array a = failing(chain(array({1.0f}), 10'000), fails);  // nodes die as soon as the next has been computed
  a = chain(a, 100);
  EXPECT_THROW(eval(a), std::runtime_error);
  fails = false;
  EXPECT_EQ(a.item<float>(), 10'101.0f);
}

TEST(Eval, AGraphThatFailedOnStreamsCanBeEvaluatedAgain) {
  std::atomic<bool> fails = true;
  const Stream s = new_stream(Device::cpu);
  const array a = failing(add(array({1.0f}), array(1.0f), s), fails, s);
  array b = a + 1.0f, c = add(a, array(2.0f), s);
  EXPECT_THROW(eval(b, c), std::runtime_error);
  EXPECT_THROW(eval(b, c), std::runtime_error);
  fails = false;
  eval(b, c);
  EXPECT_EQ(b.item<float>(), 3.0f);
  EXPECT_EQ(c.item<float>(), 4.0f);
}

TEST(Eval, AnAsynchronousErrorIsThrownOnce) {
  std::atomic<bool> fails = true;
  array a = failing(array({1.0f}), fails) + 1.0f, b = failing(array({1.0f}), fails) + 2.0f;
  async_eval(a, b);
  EXPECT_THROW(synchronize(), std::runtime_error);
  fails = false;
  EXPECT_THROW(a.wait(), std::runtime_error);
  EXPECT_EQ(a.item<float>(), 2.0f);
  EXPECT_THROW(b.item<float>(), std::runtime_error);
  EXPECT_EQ(b.item<float>(), 3.0f);
}

// Takes over its input's memory and another's strides, then fails if told to.
class FailingLate final : public ComparablePrimitive<FailingLate> {
 public:
  FailingLate(Stream s, bool& fails) : ComparablePrimitive(s), fails_(fails) {}
  auto state() const { return std::tuple(); }
  const char* name() const override { return "FailingLate"; }
  std::vector<Shape> output_shapes(Arrays inputs) const override { return {inputs[0].shape()}; }
  void eval_cpu(Arrays inputs, MutableArrays outputs) override {
    if (fails_) {
      share(outputs[0], inputs[0], {1, 2});
      throw std::runtime_error("planned");
    }
    EXPECT_FALSE(outputs[0].storage());
    EXPECT_TRUE(outputs[0].flags().row_contiguous);
    EXPECT_TRUE(donate(outputs[0], inputs[0]));
  }

 private:
  bool& fails_;
};

TEST(Eval, AFailedOperationLeavesNoMemoryBehind) {
  bool fails = true;
  array x = reshape(arange(4.0), {2, 2}) + 1.0f;
  array a(x.shape(), x.dtype(), std::make_shared<FailingLate>(default_stream(Device::cpu), fails), {x});
  x = array(0.0f);
  EXPECT_THROW(eval(a), std::runtime_error);
  fails = false;
  EXPECT_TRUE(array_equal(a, array({1.f, 2.f, 3.f, 4.f}, {2, 2})).item<bool>());
}

TEST(Eval, OutputsOfOnePrimitiveMayBeEvaluatedOneByOne) {
  const array w = reshape(arange(128.0), {2, 64});
  std::vector<array> q = quantize(w);
  eval(q[0]);
  EXPECT_FALSE(q[1].has_primitive());
  async_eval(q[1]);
  array scales = add(q[2], array(0.0f), new_stream(Device::cpu));
  eval(scales);
  EXPECT_TRUE(array_equal(q[1], quantize(w)[1]).item<bool>());
  EXPECT_TRUE(array_equal(scales, quantize(w)[2]).item<bool>());
}

// A pool that ended before the streams' threads left them waiting or reading freed memory, every second run.
[[noreturn]] void exit_while_a_stream_computes() {
  alarm(60);
  const Stream s = new_stream(Device::cpu);
  const array w = ones({512, 512});
  array first = matmul(w, w, s), x = first;
  for (int i = 0; i < 8; ++i) x = matmul(x, first, s);
  async_eval(x);
  first.wait();
  std::exit(7);
}

TEST(StreamsDeathTest, AProgramMayEndWhileWorkIsQueued) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  for (int run = 0; run < 12; ++run) EXPECT_EXIT(exit_while_a_stream_computes(), testing::ExitedWithCode(7), "");
}

TEST(Streams, WaitForEachOthersResults) {
  const Stream s = new_stream(Device::cpu), t = new_stream(Device::cpu);
  array a(0.0f);
  for (int i = 0; i < 200; ++i) a = add(add(add(a, array(1.0f), s), array(1.0f), t), array(1.0f));
  async_eval(a);
  array b = add(a, array(1.0f), s);
  eval(b);
  EXPECT_EQ(b.item<float>(), 601.0f);
  synchronize(s);
  synchronize(t);
}

TEST(Streams, ManyThreadsEvaluateTheirOwnGraphs) {
  const array shared = arange(100.0);
  array(shared).eval();
  const Stream s = new_stream(Device::cpu);
  std::vector<std::jthread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        array x = add(shared, array(1.0f), i % 2 ? StreamOrDevice(s) : StreamOrDevice());
        if (i % 3 == 0) async_eval(x);
        right += sum(x * 2.0f).item<float>() == 2 * (4950 + 100);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 200);
}

TEST(Streams, ADefaultHoldsForAScopeAndAThread) {
  const Stream s = new_stream(Device::cpu);
  {
    StreamContext context(s);
    EXPECT_EQ(default_stream(Device::cpu), s);
    EXPECT_EQ((array(1) + array(2)).item<int>(), 3);
    std::jthread([&] { EXPECT_NE(default_stream(Device::cpu), s); });
  }
  EXPECT_NE(default_stream(Device::cpu), s);
  EXPECT_THROW(set_default_device(Device::gpu), std::invalid_argument);
  EXPECT_THROW(set_default_stream(Stream(999, Device::cpu)), std::invalid_argument);
}

TEST(Memory, IsBackWhereItWasWhenArraysAreGone) {
  const size_t before = get_active_memory();
  {
    array a = zeros({1000, 1000});
    eval(a);
    EXPECT_GE(get_active_memory(), before + 4'000'000);
  }
  EXPECT_EQ(get_active_memory(), before);
  EXPECT_GE(get_cache_memory(), 4'000'000u);
  clear_cache();
  EXPECT_EQ(get_cache_memory(), 0u);
}

TEST(Memory, PeakCountsWhatWasHeldAtOnce) {
  clear_cache();
  reset_peak_memory();
  const size_t before = get_peak_memory();
  for (int i = 0; i < 3; ++i) zeros({1 << 20}).eval();
  EXPECT_GE(get_peak_memory() - before, size_t{4} << 20);
  EXPECT_LT(get_peak_memory() - before, size_t{8} << 20);
}

TEST(Memory, PeakDoesNotCountWhatWasRefused) {
  reset_peak_memory();
  array absurd = zeros({1 << 20, 1 << 20});
  const size_t before = get_peak_memory(), held = get_active_memory();
  EXPECT_THROW(eval(absurd), OutOfMemory);
  EXPECT_LT(get_peak_memory(), before + (1 << 20));
  EXPECT_EQ(get_active_memory(), held);
}

TEST(Memory, LimitsRefuseWithTheNumbersAndLeaveEverythingUsable) {
  const size_t previous = set_memory_limit(get_active_memory() + (1 << 20));
  array big = zeros({1 << 20});
  EXPECT_THROW(eval(big), OutOfMemory);
  set_memory_limit(previous);
  eval(big);
  const size_t cache = set_cache_limit(0);
  big = array(0.0f);
  EXPECT_EQ(get_cache_memory(), 0u);
  set_cache_limit(cache);
}

}  // namespace
}  // namespace hearth::core
