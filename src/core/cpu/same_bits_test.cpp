// scalar, AVX2 and AVX-512 compute the same bits: every family but attention and products, whose tests have their own
// cases of it. NaN counts as equal to NaN: which one comes out is the instruction set's affair.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "core/cpu/kernels.h"
#include "core/cpu/test_values.h"
#include "core/cpu/vector_scalar.h"

namespace hearth::cpu {
namespace {

void expect_same(const TestValues& expected, const TestValues& actual, const std::string& what) {
  const size_t bytes = expected.raw().size() / expected.size();
  for (size_t i = 0; i < expected.size(); i++) {
    if (std::memcmp(expected.at(i), actual.at(i), bytes) == 0) continue;
    ASSERT_TRUE(std::isnan(expected[i]) && std::isnan(actual[i]))
        << what << ": element " << i << " is " << expected[i] << " on scalar and " << actual[i];
  }
}

// compute(kernels) is compared between scalar and every other table.
template <class F>
void expect_same_on_every_isa(const std::string& what, F compute) {
  const TestValues expected = compute(kernels_for(Isa::kScalar));
  for (Isa isa : available_isas()) expect_same(expected, compute(kernels_for(isa)), std::string(isa_name(isa)) + what);
}

// Of 16-bit types every value there is, of floats a sample of all bit patterns and of usual numbers.
TestValues values_of_every_kind(Dtype type, unsigned seed) {
  TestValues values(type, 1 << 16);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 20);
  for (uint32_t i = 0; i < values.size(); i++) {
    const uint32_t bits = type != Dtype::kFloat32 ? i * 40503 + seed
                          : i % 2 == 0            ? static_cast<uint32_t>(random())
                                                  : std::bit_cast<uint32_t>(normal(random));
    std::memcpy(values.at(i), &bits, size_of(type));
  }
  return values;
}

TEST(SameBits, OfTheScalarTablesFusedMultiplyAdd) {
  std::mt19937 random(1);
  std::uniform_int_distribution<uint32_t> exponent(0x30000000, 0x48000000);
  for (int i = 0; i < 1000000; i++) {
    // Any bits; and numbers of like size, which cancel.
    float v[3];
    for (float& x : v) x = std::bit_cast<float>(i % 2 ? static_cast<uint32_t>(random()) : exponent(random));
    if (i % 4 == 2) v[2] = -v[0] * v[1];
    const float expected = std::fma(v[0], v[1], v[2]), actual = multiply_add(v[0], v[1], v[2]);
    if (std::isnan(expected) && std::isnan(actual)) continue;
    ASSERT_EQ(std::bit_cast<uint32_t>(expected), std::bit_cast<uint32_t>(actual)) << v[0] << " " << v[1] << " " << v[2];
  }
}

TEST(SameBits, OfUnaryOperations) {
  for (Dtype type : kShortFloats) {
    TestValues x = values_of_every_kind(type, 1);
    const int32_t n = static_cast<int32_t>(x.size());
    for (int op = 0; op < static_cast<int>(UnaryOp::kCount); op++) {
      if (!supports(UnaryOp(op), type)) continue;
      expect_same_on_every_isa(" unary " + std::to_string(op), [&](const Kernels& k) {
        TestValues out(result_type(UnaryOp(op), type), x.size());
        k.unary({UnaryOp(op), type, {x.data()}, out.data(), &n, 1});
        return out;
      });
    }
  }
}

TEST(SameBits, OfBinaryOperations) {
  for (Dtype type : kShortFloats) {
    TestValues a = values_of_every_kind(type, 2), b = values_of_every_kind(type, 31337);
    const int32_t n = static_cast<int32_t>(a.size());
    for (int op = 0; op < static_cast<int>(BinaryOp::kCount); op++) {
      if (!supports(BinaryOp(op), type)) continue;
      expect_same_on_every_isa(" binary " + std::to_string(op), [&](const Kernels& k) {
        TestValues out(result_type(BinaryOp(op), type), a.size());
        k.binary({BinaryOp(op), type, {a.data()}, {b.data()}, out.data(), &n, 1});
        return out;
      });
    }
  }
}

TEST(SameBits, OfConversions) {
  for (Dtype from : kShortFloats) {
    for (Dtype to : kShortFloats) {
      TestValues x = values_of_every_kind(from, 3);
      const int32_t n = static_cast<int32_t>(x.size());
      expect_same_on_every_isa(" conversion", [&](const Kernels& k) {
        TestValues out(to, x.size());
        k.copy({from, to, {x.data()}, out.data(), nullptr, &n, 1});
        return out;
      });
    }
  }
}

TEST(SameBits, OfReductions) {
  for (Dtype type : kShortFloats) {
    for (int32_t n : {1, 2, 15, 16, 17, 31, 33, 63, 65, 511, 512, 513, 5001}) {
      TestValues x = random_values(type, n, n, n % 3);
      for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kProduct, ReduceOp::kMax, ReduceOp::kMin}) {
        expect_same_on_every_isa(" reduction of " + std::to_string(n), [&](const Kernels& k) {
          TestValues out(type, 1);
          k.reduce({op, type, type, {x.data()}, out.data(), &n, 1, 1});
          return out;
        });
      }
    }
  }
}

TEST(SameBits, OfSoftmaxAndLogSumExp) {
  for (Dtype type : kShortFloats) {
    for (int columns : {1, 2, 7, 15, 16, 17, 33, 511, 512, 513, 3000}) {
      TestValues x = random_values(type, columns, columns, columns % 2);
      for (int i = 0; i < columns; i++) x.set(i, x[i] * 5 + i / 100.0);  // the maximum keeps growing
      expect_same_on_every_isa(" softmax of " + std::to_string(columns), [&](const Kernels& k) {
        TestValues out(type, columns + 1);
        k.softmax({type, x.data(), out.data(), 1, columns, columns, columns});
        k.log_sum_exp({type, x.data(), out.at(columns), 1, columns, columns});
        return out;
      });
    }
  }
}

TEST(SameBits, OfNorms) {
  for (Dtype type : kShortFloats) {
    for (int columns : {1, 7, 8, 9, 15, 16, 17, 24, 31, 33, 48, 63, 64, 65, 100, 127, 129, 576, 2049}) {
      TestValues x = random_values(type, 2 * columns, columns, columns % 3), r = random_values(type, x.size(), 1);
      TestValues w = random_values(type, columns, 2), b = random_values(type, columns, 3);
      for (int way = 0; way < 4; way++) {
        expect_same_on_every_isa(" norm of " + std::to_string(columns), [&](const Kernels& k) {
          TestValues out(type, 3 * x.size());
          RmsNormArgs rms{.type = type, .x = x.data(), .out = out.data(), .rows = 2, .columns = columns};
          rms.x_stride = rms.residual_stride = rms.sum_stride = rms.out_stride = columns;
          LayerNormArgs layer{.type = type, .x = x.data(), .out = out.at(x.size()), .rows = 2, .columns = columns};
          layer.x_stride = layer.out_stride = columns;
          if (way & 1) rms.weight = layer.weight = w.data(), layer.bias = b.data();
          rms.sum = out.at(2 * x.size());
          if (way & 2) rms.residual = r.data();
          k.rms_norm(rms);
          k.layer_norm(layer);
          return out;
        });
      }
    }
  }
}

TEST(SameBits, OfRope) {
  const std::vector<int32_t> positions = {0, 1, 2, 3, 100, 4095, 131071, 1000003, 2000000};
  const int tokens = static_cast<int>(positions.size()), heads = 2;
  for (Dtype type : kShortFloats) {
    for (int rotated : {2, 6, 14, 16, 18, 30, 32, 34, 64, 80, 128}) {
      std::vector<float> freqs;
      for (int i = 0; i < rotated / 2; i++) freqs.push_back(std::pow(10000.0f, 2.0f * i / rotated));
      const int size = rotated + 6;
      TestValues x = random_values(type, size_t(tokens) * heads * size, rotated);
      for (bool traditional : {false, true}) {
        expect_same_on_every_isa(" rope of " + std::to_string(rotated), [&](const Kernels& k) {
          TestValues out(type, x.size());
          RopeArgs args{.type = type, .x = x.data(), .out = out.data()};
          args.x_token_stride = args.out_token_stride = heads * size, args.x_head_stride = args.out_head_stride = size;
          args.tokens = tokens, args.heads = heads, args.head_size = size, args.rotated = rotated;
          args.positions = positions.data(), args.freqs = freqs.data(), args.traditional = traditional;
          args.mscale = 1.25f;
          k.rope(args);
          return out;
        });
      }
    }
  }
}

}  // namespace
}  // namespace hearth::cpu
