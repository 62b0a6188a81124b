#include <gtest/gtest.h>

#include <numeric>
#include <sstream>
#include <vector>

#include "core/mx.h"

namespace hearth::core {
namespace {

std::string printed(const array& a) {
  std::ostringstream os;
  os << a;
  return os.str();
}

TEST(Array, TakesScalarsListsAndIterators) {
  EXPECT_EQ(array(3).dtype(), int32);
  EXPECT_EQ(array(3.0).dtype(), float32);
  EXPECT_EQ(array(true).dtype(), bool_);
  EXPECT_EQ(array({1.0f, 2.0f}, bfloat16).dtype(), bfloat16);
  EXPECT_EQ(array({1, 2, 3, 4}, {2, 2}).shape(), (Shape{2, 2}));
  const std::vector<int64_t> values{5, 6, 7};
  const array a(values.begin(), {3});
  EXPECT_EQ(a.dtype(), int64);
  EXPECT_EQ(a.data<int64_t>()[2], 7);
  EXPECT_EQ(array({}).dtype(), float32);
  EXPECT_EQ(array({}, int8).size(), 0u);
  EXPECT_THROW(array({1, 2, 3}, {2, 2}), std::invalid_argument);
}

TEST(Array, ItemConvertsAndRefusesMoreThanOneElement) {
  EXPECT_EQ(array(2.5f, bfloat16).item<float>(), 2.5f);
  EXPECT_EQ((array(2) + array(3)).item<int>(), 5);
  EXPECT_THROW(array({1, 2}).item<int>(), std::invalid_argument);
}

TEST(Array, ReadsForeignMemoryWithoutCopyAndLetsItGo) {
  std::vector<float> memory(6, 2.0f);
  bool released = false;
  {
    const array a(memory.data(), {2, 3}, float32, [&](void*) { released = true; });
    EXPECT_EQ(a.data<float>(), memory.data());
    const array view = slice(a, {1, 0}, {2, 3});
    EXPECT_EQ(view.data<float>(), memory.data() + 3);
    EXPECT_FALSE(released);
  }
  EXPECT_TRUE(released);
}

TEST(Array, NeverWritesToForeignMemory) {
  std::vector<float> memory(6, 2.0f);
  array a(memory.data(), {6}, float32, [](void*) {});
  a = exp(a);
  eval(a);
  EXPECT_EQ(memory, std::vector<float>(6, 2.0f));
}

TEST(Array, PrintsAsMlxDoes) {
  EXPECT_EQ(printed(arange(3)), "array([0, 1, 2], dtype=int32)");
  EXPECT_EQ(printed(reshape(arange(6.0), {2, 3})), "array([[0, 1, 2],\n       [3, 4, 5]], dtype=float32)");
  EXPECT_EQ(printed(arange(12)), "array([0, 1, 2, ..., 9, 10, 11], dtype=int32)");
  EXPECT_EQ(printed(array(1.5f)), "array(1.5, dtype=float32)");
}

TEST(Array, IteratesOverTheFirstAxis) {
  int sum = 0, rows = 0;
  for (array row : reshape(arange(6), {3, 2})) {
    sum += take(row, 1).item<int>();
    ++rows;
  }
  EXPECT_EQ(rows, 3);
  EXPECT_EQ(sum, 1 + 3 + 5);
}

TEST(Array, HoldsShapesOfAnyRank) {
  Shape shape(9, 1);
  shape[3] = 5;
  const array a = zeros(shape);
  EXPECT_EQ(a.ndim(), 9u);
  EXPECT_EQ(sum(a + 1.0f).item<float>(), 5.0f);
  EXPECT_THROW(zeros({1 << 30, 1 << 30}), std::invalid_argument);
  EXPECT_THROW(zeros({-1}), std::invalid_argument);
  EXPECT_THROW(zeros({0, INT32_MAX, INT32_MAX, INT32_MAX}), std::invalid_argument);
  EXPECT_THROW(zeros({INT32_MAX, INT32_MAX, 0}), std::invalid_argument);
  EXPECT_EQ(zeros({0, INT32_MAX}).size(), 0u);
}

TEST(SmallVector, GrowsByDoubling) {
  SmallVector<int, 3> v;
  std::vector<size_t> capacities;
  for (int i = 0; i < 1000; ++i) {
    v.push_back(i);
    if (capacities.empty() || capacities.back() != v.capacity()) capacities.push_back(v.capacity());
  }
  EXPECT_LE(capacities.size(), 10u);
  EXPECT_EQ(v[999], 999);
}

TEST(SmallVector, TakesItsOwnElements) {
  using Strings = SmallVector<std::string, 2>;
  Strings v{"one, too long to lie in the object itself", "two"};
  v.resize(5, v[0]);
  EXPECT_EQ(v[4], v[0]);
  while (v.size() < v.capacity()) v.push_back("");
  v.emplace_back(v[0]);
  EXPECT_EQ(v.back(), v[0]);
}

struct Mistake {
  const char* begins;
  std::function<void()> make;
};

TEST(Array, MistakesAreNamedWhileTheGraphIsBuilt) {
  const array a = zeros({2, 3}), b = zeros({4, 5});
  const std::vector<Mistake> mistakes = {
      {"[add] Shapes (2,3) and (4,5)", [&] { a + b; }},
      {"[matmul] Last dimension of first input with shape (2,3)", [&] { matmul(a, b); }},
      {"[reshape] Cannot reshape array of size 6 into shape (4)", [&] { reshape(a, {4}); }},
      {"[transpose] Received 1 axes", [&] { transpose(a, {0}); }},
      {"[concatenate] All the input array dimensions must match",
       [&] {
         concatenate({a, b}, 0);
       }},
      {"[concatenate] No arrays", [&] { concatenate({}, 0); }},
      {"[squeeze] Cannot squeeze axis 0", [&] { squeeze(a, 0); }},
      {"[sum] Axis 5", [&] { sum(a, 5); }},
      {"[take] Got indices with invalid dtype", [&] { take(a, b, 0); }},
      {"[rms_norm] weight", [&] { fast::rms_norm(a, b, 1e-5f); }},
      {"[quantize] The last dimension", [&] { quantize(a); }},
      {"[quantized_matmul] The weight matrix should be uint32", [&] { quantized_matmul(a, a, a, a); }},
      {"[scaled_dot_product_attention] input", [&] { fast::scaled_dot_product_attention(a, a, a, 1); }},
      {"[broadcast_to] Shape", [&] { broadcast_to(a, {5}); }},
      {"[split] Array split", [&] { split(a, 2, 1); }},
      {"[bitwise_and] Only allowed", [&] { bitwise_and(a, a); }},
      {"[slice] Invalid number", [&] { slice(a, Shape{0}, Shape{1}); }},
      {"[topk] Received invalid k=9", [&] { topk(a, 9, 0); }},
      {"[rope] Input must have", [&] { fast::rope(a, 4, false, 1e4f, 1, 0); }},
      {"[negative]", [&] { -array(true); }},
      {"[full]", [&] { full({2}, zeros({3})); }},
      {"[as_strided]", [&] { as_strided(a, {4}, {2}, 0); }},
  };
  for (const Mistake& mistake : mistakes) {
    try {
      mistake.make();
      ADD_FAILURE() << "accepted: " << mistake.begins;
    } catch (const std::invalid_argument& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(mistake.begins)) << error.what();
    }
  }
}

TEST(Dtype, MixesAsMlxDoes) {
  EXPECT_EQ(promote_types(float16, bfloat16), float32);
  EXPECT_EQ(promote_types(bfloat16, int64), bfloat16);
  EXPECT_EQ(promote_types(uint8, int8), int16);
  EXPECT_EQ(promote_types(uint32, int32), int64);
  EXPECT_EQ(promote_types(uint64, int8), float32);
  EXPECT_EQ(promote_types(bool_, uint8), uint8);
  EXPECT_EQ(promote_types(float64, float16), float64);
  EXPECT_EQ(promote_types(complex64, float64), complex64);
}

}  // namespace
}  // namespace hearth::core
