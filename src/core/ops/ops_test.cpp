// Runs every operation of testdata/ops.safetensors (written by tools/make_core_fixtures.py with MLX) and compares.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <map>
#include <sstream>

#include "core/mx.h"

namespace hearth::core {
namespace {

using Operation = std::function<std::vector<array>(const std::vector<array>&)>;
using In = const std::vector<array>&;

std::map<std::string, Operation> elementwise() {
  std::map<std::string, Operation> ops;
// clang-format off
#define UNARY(name) ops[#name] = [](In x) { return std::vector{name(x[0])}; };
  UNARY(abs) UNARY(negative) UNARY(sign) UNARY(floor) UNARY(ceil) UNARY(round) UNARY(square) UNARY(exp) UNARY(expm1)
  UNARY(sigmoid) UNARY(erf) UNARY(sin) UNARY(cos) UNARY(tan) UNARY(arctan) UNARY(sinh) UNARY(cosh) UNARY(tanh)
  UNARY(arcsinh) UNARY(degrees) UNARY(radians) UNARY(reciprocal) UNARY(isnan) UNARY(isinf) UNARY(isfinite) UNARY(sqrt)
  UNARY(rsqrt) UNARY(log) UNARY(log2) UNARY(log10) UNARY(log1p) UNARY(arcsin) UNARY(arccos) UNARY(arctanh) UNARY(erfinv)
  UNARY(arccosh) UNARY(bitwise_invert) UNARY(logical_not) UNARY(isposinf) UNARY(isneginf) UNARY(nan_to_num)
#undef UNARY
#define BINARY(name) ops[#name] = [](In x) { return std::vector{name(x[0], x[1])}; };
  BINARY(add) BINARY(subtract) BINARY(multiply) BINARY(divide) BINARY(maximum) BINARY(minimum) BINARY(equal)
  BINARY(not_equal) BINARY(greater) BINARY(greater_equal) BINARY(less) BINARY(less_equal) BINARY(logical_and)
  BINARY(logical_or) BINARY(floor_divide) BINARY(remainder) BINARY(power) BINARY(logaddexp) BINARY(arctan2)
  BINARY(bitwise_and) BINARY(bitwise_or) BINARY(bitwise_xor) BINARY(left_shift) BINARY(right_shift) BINARY(isclose)
  BINARY(matmul) BINARY(inner) BINARY(outer)
#undef BINARY
      // clang-format on
      ops["round_decimals"] = [](In x) { return std::vector{round(x[0], 2)}; };
  ops["where"] = [](In x) { return std::vector{where(x[0], x[1], x[2])}; };
  ops["clip"] = [](In x) { return std::vector{clip(x[0], array(-0.5f, x[0].dtype()), array(0.75f, x[0].dtype()))}; };
  for (Dtype t : {float32, float16, bfloat16, int32, uint8, int64, bool_}) {
    ops[std::string("astype_").append(dtype_to_string(t))] = [t](In x) { return std::vector{astype(x[0], t)}; };
  }
  return ops;
}

std::map<std::string, Operation> reductions() {
  std::map<std::string, Operation> ops;
// clang-format off
#define REDUCE(name)                                                                          \
  ops[#name] = [](In x) { return std::vector{name(x[0])}; };                                  \
  ops[#name "_axis1"] = [](In x) { return std::vector{name(x[0], 1)}; };                      \
  ops[#name "_axes02_keep"] = [](In x) { return std::vector{name(x[0], std::vector{0, 2}, true)}; };
  REDUCE(sum) REDUCE(prod) REDUCE(max) REDUCE(min) REDUCE(mean) REDUCE(var) REDUCE(std) REDUCE(logsumexp) REDUCE(all)
  REDUCE(any)
#undef REDUCE
      // clang-format on
      ops["argmax"] = [](In x) { return std::vector{argmax(x[0])}; };
  ops["argmin"] = [](In x) { return std::vector{argmin(x[0])}; };
  ops["argmax_axis0"] = [](In x) { return std::vector{argmax(x[0], 0)}; };
  ops["argmin_axis0"] = [](In x) { return std::vector{argmin(x[0], 0)}; };
  ops["sort"] = [](In x) { return std::vector{sort(x[0])}; };
  ops["sort_axis0"] = [](In x) { return std::vector{sort(x[0], 0)}; };
  ops["argsort_last"] = [](In x) { return std::vector{argsort(x[0], -1)}; };
  ops["topk_sorted"] = [](In x) { return std::vector{sort(topk(x[0], 5, -1), -1)}; };
  ops["partition_kth"] = [](In x) { return std::vector{take(partition(x[0], 7, -1), 7, 1)}; };
  ops["softmax_last"] = [](In x) { return std::vector{softmax(x[0], -1)}; };
  ops["softmax_axis1"] = [](In x) { return std::vector{softmax(x[0], 1)}; };
  ops["cumsum_axis1"] = [](In x) { return std::vector{cumsum(x[0], 1)}; };
  ops["cumsum_reverse_exclusive"] = [](In x) { return std::vector{cumsum(x[0], 1, true, false)}; };
  ops["cummax_axis1"] = [](In x) { return std::vector{cummax(x[0], 1)}; };
  ops["cumprod_axis1"] = [](In x) { return std::vector{cumprod(x[0], 1)}; };
  return ops;
}

std::map<std::string, Operation> shapes() {
  std::map<std::string, Operation> ops;
  ops["transpose"] = [](In x) { return std::vector{transpose(x[0])}; };
  ops["transpose_201"] = [](In x) { return std::vector{transpose(x[0], {2, 0, 1})}; };
  ops["reshape_of_transpose"] = [](In x) { return std::vector{reshape(transpose(x[0], {0, 2, 1}), {4, -1})}; };
  ops["moveaxis"] = [](In x) { return std::vector{moveaxis(x[0], 0, 2)}; };
  ops["flatten"] = [](In x) { return std::vector{flatten(x[0], 1, 2)}; };
  ops["unflatten"] = [](In x) { return std::vector{unflatten(x[0], 2, {2, -1})}; };
  ops["slice_strided"] = [](In x) { return std::vector{slice(x[0], {0, 0, 1}, {2, 3, 3}, {1, 2, 1})}; };
  ops["slice_reversed"] = [](In x) { return std::vector{slice(x[0], {0, 2, 3}, {2, -4, 0}, {1, -1, -2})}; };
  ops["slice_update"] = [](In x) { return std::vector{slice_update(x[0], x[1], {0, 1, 1}, {2, 2, 3})}; };
  ops["slice_update_strided"] = [](In x) {
    return std::vector{slice_update(x[0], array(5), {0, 0, 0}, {2, 3, 4}, {1, 2, 1})};
  };
  ops["concatenate_axis1"] = [](In x) { return std::vector{concatenate({x[0], x[1]}, 1)}; };
  ops["stack_axis1"] = [](In x) { return std::vector{stack({x[0], x[1]}, 1)}; };
  ops["split_indices"] = [](In x) { return split(x[0], Shape{1, 3}, 2); };
  ops["repeat_axis1"] = [](In x) { return std::vector{repeat(x[0], 3, 1)}; };
  ops["tile"] = [](In x) { return std::vector{tile(x[0], {2, 1, 1, 2})}; };
  ops["pad"] = [](In x) { return std::vector{pad(x[0], {{1, 0}, {0, 2}, {1, 1}}, array(7))}; };
  ops["pad_edge"] = [](In x) { return std::vector{pad(x[0], {{1, 0}, {0, 2}, {1, 1}}, array(0), "edge")}; };
  ops["roll"] = [](In x) { return std::vector{roll(x[0], 2, 2)}; };
  ops["flip"] = [](In x) { return std::vector{flip(x[0], 1)}; };
  ops["diagonal"] = [](In x) { return std::vector{diagonal(x[0], 1, 1, 2)}; };
  ops["diag"] = [](In x) { return std::vector{diag(x[0], -1)}; };
  ops["tril"] = [](In x) { return std::vector{tril(x[0], 1)}; };
  ops["triu"] = [](In x) { return std::vector{triu(x[0], 1)}; };
  ops["view_uint16"] = [](In x) { return std::vector{view(x[0], uint16)}; };
  ops["broadcast_to"] = [](In x) { return std::vector{broadcast_to(x[0], {3, 4})}; };
  ops["linspace"] = [](In) { return std::vector{linspace(-1, 2, 7)}; };
  ops["arange_step"] = [](In) { return std::vector{arange(1.0, 4.0, 0.3)}; };
  ops["arange_int"] = [](In) { return std::vector{arange(9, 1, -3)}; };
  ops["eye"] = [](In) { return std::vector{eye(3, 5, 1)}; };
  ops["take_axis1"] = [](In x) { return std::vector{take(x[0], x[1], 1)}; };
  ops["take_flat"] = [](In x) { return std::vector{take(x[0], x[1])}; };
  ops["take_along_axis1"] = [](In x) { return std::vector{take_along_axis(x[0], x[1], 1)}; };
  ops["put_along_axis1"] = [](In x) { return std::vector{put_along_axis(x[0], x[1], x[2], 1)}; };
  ops["gather_rows"] = [](In x) { return std::vector{gather(x[0], {x[1], x[2]}, {0, 1}, {1, 1, 4})}; };
  ops["scatter_add"] = [](In x) { return std::vector{scatter_add(x[0], {x[1], x[2]}, x[3], {0, 1})}; };
  return ops;
}

std::map<std::string, Operation> products() {
  std::map<std::string, Operation> ops;
  ops["matmul_transposed"] = [](In x) { return std::vector{matmul(x[0], swapaxes(x[1], 0, 1))}; };
  ops["addmm"] = [](In x) { return std::vector{addmm(x[0], x[1], x[2], 0.5f, 2.0f)}; };
  ops["tensordot2"] = [](In x) { return std::vector{tensordot(x[0], x[1], 2)}; };
  for (int bits : {2, 3, 4, 5, 6, 8}) {
    for (int group : {32, 64}) {
      std::ostringstream suffix_text;
      suffix_text << "_" << bits << "_" << group;
      const std::string suffix = suffix_text.str();
      ops["quantize" + suffix] = [=](In x) { return quantize(x[0], group, bits); };
      ops["dequantize" + suffix] = [=](In x) { return std::vector{dequantize(x[0], x[1], x[2], group, bits)}; };
      ops["quantized_matmul" + suffix] = [=](In x) {
        return std::vector{quantized_matmul(x[0], x[1], x[2], x[3], true, group, bits)};
      };
    }
  }
  ops["quantized_matmul_plain"] = [](In x) {
    return std::vector{quantized_matmul(x[0], x[1], x[2], x[3], false, 32, 4)};
  };
  ops["rms_norm"] = [](In x) { return std::vector{fast::rms_norm(x[0], x[1], 1e-5f)}; };
  ops["rms_norm_plain"] = [](In x) { return std::vector{fast::rms_norm(x[0], std::nullopt, 1e-5f)}; };
  ops["layer_norm"] = [](In x) { return std::vector{fast::layer_norm(x[0], x[1], x[2], 1e-5f)}; };
  ops["rope"] = [](In x) { return std::vector{fast::rope(x[0], 16, false, 10000.0f, 1.0f, 7)}; };
  ops["rope_traditional_part"] = [](In x) { return std::vector{fast::rope(x[0], 8, true, 500.0f, 0.5f, 3)}; };
  ops["rope_freqs_offsets"] = [](In x) {
    return std::vector{fast::rope(x[0], 16, false, std::nullopt, 1.0f, x[1], x[2])};
  };
  const auto attend = [](In x, const char* mode, std::optional<array> mask, std::optional<array> sinks) {
    return std::vector{fast::scaled_dot_product_attention(x[0], x[1], x[2], 0.25f, mode, mask, sinks)};
  };
  ops["attention"] = [=](In x) { return attend(x, "", {}, {}); };
  ops["attention_causal"] = [=](In x) { return attend(x, "causal", {}, {}); };
  ops["attention_mask"] = [=](In x) { return attend(x, "", x[3], {}); };
  ops["attention_sinks"] = [=](In x) { return attend(x, "causal", {}, x[3]); };
  return ops;
}

std::map<std::string, Operation> randoms() {
  std::map<std::string, Operation> ops;
  ops["random_split"] = [](In x) { return std::vector{random::split(x[0], 3)}; };
  for (Dtype t : {float32, float16, bfloat16}) {
    const std::string name = dtype_to_string(t);
    ops["random_uniform_" + name] = [t](In x) { return std::vector{random::uniform(-1.0f, 3.0f, {9}, t, x[0])}; };
    ops["random_normal_" + name] = [t](In x) { return std::vector{random::normal({9}, t, x[0])}; };
  }
  ops["random_gumbel"] = [](In x) { return std::vector{random::gumbel({9}, float32, x[0])}; };
  ops["random_randint"] = [](In x) { return std::vector{random::randint(-5, 50, {9}, int32, x[0])}; };
  ops["random_bernoulli"] = [](In x) { return std::vector{random::bernoulli(x[1], {4, 6}, x[0])}; };
  ops["random_categorical"] = [](In x) { return std::vector{random::categorical(x[1], -1, x[0])}; };
  ops["random_categorical_samples"] = [](In x) { return std::vector{random::categorical(x[1], 0, 4, x[0])}; };
  return ops;
}

// Rounding of the type itself; sums of a few dozen products of numbers around one stay within a few of them.
double tolerance(Dtype t) {
  if (t == bfloat16) return 0x1p-7;
  if (t == float16) return 0x1p-9;
  return issubdtype(t, inexact) ? 4e-6 : 0;
}

// Of a fixture. Quantized products of float32 round x to 16 bits, or equal float32's, by instruction set.
double tolerance(const std::string& operation, Dtype t) {
  return operation.starts_with("quantized_matmul") ? std::max(tolerance(t), 0x1p-13) : tolerance(t);
}

std::string difference(array got, array expected, double tolerance) {
  std::ostringstream os;
  if (got.dtype() != expected.dtype() || got.shape() != expected.shape()) {
    os << got.dtype() << got.shape() << " instead of " << expected.dtype() << expected.shape();
    return os.str();
  }
  const Dtype wide = issubdtype(got.dtype(), inexact) ? float64 : int64;
  const array a = contiguous(astype(got, wide)), b = contiguous(astype(expected, wide));
  double largest = 1;
  for (size_t i = 0; i < b.size(); ++i) {
    const double y = wide == float64 ? b.data<double>()[i] : double(b.data<int64_t>()[i]);
    if (std::isfinite(y)) largest = std::max(largest, std::min(std::abs(y), 16.0));
  }
  for (size_t i = 0; i < b.size(); ++i) {
    const double x = wide == float64 ? a.data<double>()[i] : double(a.data<int64_t>()[i]);
    const double y = wide == float64 ? b.data<double>()[i] : double(b.data<int64_t>()[i]);
    const bool same = x == y || (std::isnan(x) && std::isnan(y));
    if (!same && !(std::abs(x - y) <= tolerance * std::max(largest, std::abs(y)))) {
      os << "element " << i << " is " << x << " instead of " << y;
      return os.str();
    }
  }
  return "";
}

std::vector<std::string> parts(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) out.push_back(part);
  return out;
}

TEST(Ops, GiveWhatMlxGives) {
  auto fixtures = load_safetensors(HEARTH_SOURCE_DIR "/src/core/testdata/ops.safetensors").first;
  std::map<std::string, Operation> ops;
  for (auto& group : {elementwise(), reductions(), shapes(), products(), randoms()})
    ops.insert(group.begin(), group.end());
  int cases = 0;
  for (const auto& [key, expected] : fixtures) {
    if (key.find('|') == std::string::npos) continue;
    const std::vector<std::string> fields = parts(key, '|');  // operation, variant, output, inputs
    std::vector<array> inputs;
    if (fields.size() > 3) {
      for (const std::string& name : parts(fields[3], ',')) inputs.push_back(fixtures.at(name));
    }
    ASSERT_TRUE(ops.count(fields[0])) << fields[0];
    const std::vector<array> outputs = ops[fields[0]](inputs);
    EXPECT_EQ(difference(outputs.at(std::stoi(fields[2])), expected, tolerance(fields[0], expected.dtype())), "")
        << key;
    ++cases;
  }
  EXPECT_GT(cases, 500);
}

TEST(Broadcast, SpreadsAColumnOverARowOfItsLength) {
  const array column({1.0f, 2.0f, 3.0f}, {3, 1}), row({10.0f, 20.0f, 30.0f});
  const array sums = add(column, row);
  EXPECT_EQ(sums.shape(), (Shape{3, 3}));
  EXPECT_TRUE(array_equal(sums, array({11.f, 21.f, 31.f, 12.f, 22.f, 32.f, 13.f, 23.f, 33.f}, {3, 3})).item<bool>());
}

TEST(TakeAlongAxis, ReadsBackwards) {
  const array backwards = flip(array({10, 11, 12, 13}), 0), at({0, 1, 2, 3});
  EXPECT_TRUE(array_equal(take_along_axis(backwards, at, 0), array({13, 12, 11, 10})).item<bool>());
  const array gathered = gather(backwards, {at}, {0}, {1});
  EXPECT_TRUE(array_equal(gathered, array({13, 12, 11, 10}, {4, 1})).item<bool>());
}

TEST(Slice, ReadsItsStartWhateverTheLayout) {
  const array x = reshape(arange(12), {3, 4}), start = broadcast_to(array(1), {2});
  EXPECT_TRUE(array_equal(slice(x, start, {0, 1}, {2, 2}), array({5, 6, 9, 10}, {2, 2})).item<bool>());
  const array reversed = flip(array({2, 1}), 0);
  EXPECT_TRUE(array_equal(slice(x, reversed, {0, 1}, {2, 2}), array({6, 7, 10, 11}, {2, 2})).item<bool>());
}

// The expected numbers of the tests below are MLX 0.32's.

bool is(const array& got, const array& expected) {
  return got.dtype() == expected.dtype() && got.shape() == expected.shape() && allclose(got, expected).item<bool>();
}

TEST(Softmax, OverNoAxisIsOne) {
  EXPECT_TRUE(is(softmax(array(3.0f)), array(1.0f)));
  EXPECT_TRUE(is(softmax(array({1.0f, 2.0f}), std::vector<int>{}), array({1.0f, 1.0f})));
}

TEST(Softmax, KnowsComplexNumbers) {
  using Complex = std::complex<float>;
  const array x = stack({array(Complex(1, 2)), array(Complex(0.5, -1)), array(Complex(0, 3))});
  const array got = softmax(x, -1);
  const array parts = stack({real(got), imag(got)});
  EXPECT_TRUE(allclose(parts, array({1.46597f, -0.927226f, 0.461259f, -0.548762f, 0.204033f, 0.344729f}, {2, 3}), 1e-4)
                  .item<bool>());
}

TEST(Softmax, IsPreciseOffTheLastAxisWhenAsked) {
  const array x = astype(random::normal({30, 7}, float32, random::key(1)), float16);
  const array right = astype(softmax(astype(x, float32), 0), float16);
  EXPECT_TRUE(array_equal(softmax(x, 0, true), right).item<bool>());
  EXPECT_FALSE(array_equal(softmax(x, 0), right).item<bool>());
}

TEST(QuantizedMatmul, SumsOfNothingAreZero) {
  const array w = zeros({3, 0}, uint32), scales = zeros({3, 0});
  for (const int rows : {1, 2, 20}) {
    EXPECT_TRUE(is(quantized_matmul(zeros({rows, 0}), w, scales, scales), zeros({rows, 3}))) << rows;
  }
}

TEST(Clip, PromotesToTheBounds) {
  EXPECT_TRUE(is(clip(array({1, 5}), array(1.5f), array(3.7f)), array({1.5f, 3.7f})));
  EXPECT_TRUE(is(clip(array({1, 5}, int8), array({2}), std::nullopt), array({2, 5})));
}

TEST(Shift, TakesTruthValuesForNumbers) {
  EXPECT_TRUE(is(left_shift(array({true, false}), array(true)), array({2, 0}, uint8)));
  EXPECT_TRUE(is(right_shift(array(true), array(true)), array(0, uint8)));
}

TEST(SliceUpdate, RepeatsAnUpdateOfLowerRank) {
  const array src = zeros({2, 3}), update({1.0f, 2.0f});
  EXPECT_TRUE(is(slice_update(src, update, array({1}), {1}), array({0.f, 1.f, 2.f, 0.f, 1.f, 2.f}, {2, 3})));
  EXPECT_TRUE(is(slice_update(src, update, array({1}), {0}), array({0.f, 0.f, 0.f, 1.f, 2.f, 0.f}, {2, 3})));
  EXPECT_TRUE(is(slice_update(src, update, array({0, 1}), {0, 1}), array({0.f, 1.f, 2.f, 0.f, 0.f, 0.f}, {2, 3})));
  const array same_rank = expand_dims(update, 0);
  EXPECT_TRUE(is(slice_update(src, same_rank, array({1}), {1}), array({0.f, 1.f, 2.f, 0.f, 0.f, 0.f}, {2, 3})));
}

TEST(Arange, HasOneElementWhenTheStepIsInfinite) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(is(arange(0.0, 5.0, inf), array({0.0f})));
  EXPECT_TRUE(is(arange(5.0, 0.0, -inf), array({5.0f})));
  EXPECT_TRUE(is(arange(2.0, 5.0, inf, int32), array({2})));
  EXPECT_EQ(arange(0.0, 5.0, -inf).size(), 0u);
  EXPECT_EQ(arange(0.0, 0.0, inf).size(), 0u);
}

TEST(Normal, DrawsComplexNumbersAndRefusesIntegers) {
  const array key = random::key(1), z = random::normal({4}, complex64, key);
  EXPECT_TRUE(is(real(z), array({-0.588987f, -1.09416f, 0.696177f, -1.41216f})));
  EXPECT_TRUE(is(imag(z), array({1.25747f, 1.21714f, -1.10464f, -0.708907f})));
  const array moved = random::normal({4}, complex64, array(2.0f), array(3.0f), key);
  EXPECT_TRUE(is(moved, z * 3.0f + 2.0f));
  for (const Dtype t : {int32, bool_}) EXPECT_THROW(random::normal({2}, t, key), std::invalid_argument);
}

TEST(Rope, LeavesNoTokensAsTheyAre) {
  for (const Shape& shape : {Shape{1, 2, 0, 8}, Shape{1, 2, 2, 0, 8}, Shape{1, 0, 8}, Shape{0, 2, 3, 8}}) {
    EXPECT_EQ(fast::rope(zeros(shape), 8, false, 1e4f, 1, 0).shape(), shape);
  }
}

TEST(Attention, GivesTheMeanWhereTheMaskHidesEverything) {
  const array q = random::normal({1, 2, 2, 8}), k = random::normal({1, 2, 5, 8}), v = random::normal({1, 2, 5, 8});
  const array mask = array({false, true}, {2, 1});
  const array out = fast::scaled_dot_product_attention(q, k, v, 0.3f, "", mask);
  EXPECT_TRUE(allclose(take(out, 0, 2), mean(v, 2), 1e-4, 1e-5).item<bool>());
  const array seen = fast::scaled_dot_product_attention(q, k, v, 0.3f);
  EXPECT_TRUE(allclose(take(out, 1, 2), take(seen, 1, 2), 1e-4, 1e-5).item<bool>());
  const array sunk = fast::scaled_dot_product_attention(q, k, v, 0.3f, "", mask, zeros({2}));
  EXPECT_TRUE(array_equal(take(sunk, 0, 2), zeros({1, 2, 8})).item<bool>());
}

}  // namespace
}  // namespace hearth::core
