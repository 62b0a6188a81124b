#include "weights/gguf_blocks.h"

#include <gmock/gmock.h>

#include <vector>

#include "base/half.h"

namespace hearth::weights {
namespace {

using testing::ElementsAre;

// mlx.core.quantize of 32 values (7 i + 3) mod 2^bits, the last two replaced by 0 and 2^bits - 1; it stores their
// complements, with scale -1.
std::vector<uint32_t> packed(int bits) {
  const int top = (1 << bits) - 1;
  std::array<uint8_t, kGgufGroupSize> q;
  for (int i = 0; i < 30; ++i) q[i] = static_cast<uint8_t>(top - ((7 * i + 3) & top));
  q[30] = static_cast<uint8_t>(top);
  q[31] = 0;
  std::vector<uint32_t> words(static_cast<size_t>(bits));
  pack_group(q, bits, words.data());
  return words;
}

TEST(PackGroup, PacksAsMlxDoes) {
  EXPECT_THAT(packed(4), ElementsAre(0xb2907e5c, 0x3a18f6d4, 0xb2907e5c, 0x0f18f6d4));
  EXPECT_THAT(packed(5), ElementsAre(0xb203babc, 0x87dba45c, 0xf8ac9e82, 0xb4d8930b, 0x07e38f99));
  EXPECT_THAT(packed(8), ElementsAre(0xe7eef5fc, 0xcbd2d9e0, 0xafb6bdc4, 0x939aa1a8, 0x777e858c, 0x5b626970, 0x3f464d54,
                                     0x00ff3138));
}

TEST(ReadGroups, KnowsWhichTypesAreAffine) {
  EXPECT_EQ(affine_bits(GgufType::kQ4_0), 4);
  EXPECT_EQ(affine_bits(GgufType::kQ5_1), 5);
  EXPECT_EQ(affine_bits(GgufType::kQ8_0), 8);
  EXPECT_EQ(affine_bits(GgufType::kQ5_K), 5);
  EXPECT_EQ(affine_bits(GgufType::kF16), 0);
  EXPECT_EQ(affine_bits(GgufType::kQ6_K), 0);
  EXPECT_TRUE(is_numbers(GgufType::kQ6_K));
  EXPECT_FALSE(is_numbers(GgufType::kQ8_K));
  EXPECT_FALSE(is_numbers(GgufType::kI32));
}

TEST(ReadGroups, MovesSignedValuesUp) {
  std::vector<std::byte> block(34, std::byte{0x80});  // -128
  const uint16_t scale = float_to_float16(0.5f);
  block[0] = static_cast<std::byte>(scale & 0xff);
  block[1] = static_cast<std::byte>(scale >> 8);
  block[33] = std::byte{0x7f};
  AffineGroup group;
  read_groups(GgufType::kQ8_0, block.data(), {&group, 1});
  EXPECT_EQ(group.scale * group.q[0] + group.bias, -64.0f);
  EXPECT_EQ(group.scale * group.q[31] + group.bias, 63.5f);
}

}  // namespace
}  // namespace hearth::weights
