#include "weights/gguf.h"

#include <gmock/gmock.h>

#include <cstring>
#include <functional>

#include "base/file.h"
#include "weights/scratch_folder_test.h"

namespace hearth::weights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Builds a file piece by piece; every number can be a lie.
class Bytes {
 public:
  template <typename T>
  Bytes& number(T value) {
    const auto* bytes = reinterpret_cast<const char*>(&value);
    text_.append(bytes, sizeof(T));
    return *this;
  }
  Bytes& raw(std::string_view text) {
    text_ += text;
    return *this;
  }
  Bytes& string(std::string_view text) { return number<uint64_t>(text.size()).raw(text); }
  Bytes& header(uint64_t tensors, uint64_t keys, uint32_t version = 3) {
    return raw("GGUF").number(version).number(tensors).number(keys);
  }
  // A matrix of `rows` x 32 values.
  Bytes& tensor(std::string_view name, uint64_t rows, uint32_t type, uint64_t offset) {
    return string(name).number<uint32_t>(2).number<uint64_t>(32).number(rows).number(type).number(offset);
  }
  Bytes& data(size_t size) {
    text_.resize((text_.size() + 31) / 32 * 32 + size);
    return *this;
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(text_)); }

 private:
  std::string text_;
};

std::string open_refusal(const Bytes& file) {
  return refusal([&] { GgufFile(file.bytes(), "m.gguf"); });
}

constexpr uint32_t kUint32 = 4, kFloat32 = 6, kString = 8, kArray = 9;

TEST(GgufFile, ReadsMetadataAndTensors) {
  Bytes file;
  file.header(2, 4).string("n").number(kUint32).number<uint32_t>(7);
  file.string("s").number(kString).string("text");
  file.string("a").number(kArray).number(kString).number<uint64_t>(2).string("x").string("");
  file.string("f").number(kArray).number(kFloat32).number<uint64_t>(1).number(0.5f);
  file.tensor("half", 2, 1, 0).tensor("q", 3, 2, 128).data(128 + 54);
  const GgufFile gguf(file.bytes(), "m.gguf");
  EXPECT_EQ(gguf.metadata().integer("n"), 7);
  EXPECT_EQ(gguf.metadata().string("s"), "text");
  EXPECT_THAT(gguf.strings("a"), ElementsAre("x", ""));
  EXPECT_THAT(gguf.numbers("f"), ElementsAre(0.5));
  EXPECT_THAT(gguf.strings("absent"), ElementsAre());
  ASSERT_NE(gguf.find("q"), nullptr);
  EXPECT_THAT(gguf.find("q")->shape, ElementsAre(3, 32));
  EXPECT_EQ(gguf.find("q")->bytes.size(), 54u);
  EXPECT_EQ(gguf.find("q")->bytes.data() - gguf.find("half")->bytes.data(), 128);
  EXPECT_EQ(gguf.find("r"), nullptr);
}

TEST(GgufFile, NamesKeysOfTheWrongType) {
  Bytes file;
  file.header(0, 2).string("n").number(kUint32).number<uint32_t>(7);
  file.string("f").number(kArray).number(kFloat32).number<uint64_t>(0);
  const GgufFile gguf(file.bytes(), "m.gguf");
  EXPECT_EQ(refusal([&] { gguf.metadata().string("n"); }), "m.gguf: n: 7 is not a string");
  EXPECT_EQ(refusal([&] { gguf.metadata().string("f"); }), "m.gguf: f: an array is not a string");
  EXPECT_EQ(refusal([&] { gguf.strings("n"); }), "m.gguf: n: not an array");
  EXPECT_EQ(refusal([&] { gguf.strings("f"); }), "m.gguf: f: not an array of strings");
}

TEST(GgufFile, RefusesHeadersThatPromiseTooMuch) {
  EXPECT_EQ(open_refusal(Bytes().raw("GGML????")), "m.gguf: not a GGUF file");
  EXPECT_EQ(open_refusal(Bytes().header(0, 0, 1)), "m.gguf: version: 1 is neither 2 nor 3");
  EXPECT_EQ(open_refusal(Bytes().header(0, 0, 0x03000000)), "m.gguf: version: 50331648 is neither 2 nor 3");
  EXPECT_THAT(open_refusal(Bytes().header(uint64_t{1} << 60, 0)), HasSubstr("m.gguf: tensors: 1152921504606846976 of"));
  EXPECT_THAT(open_refusal(Bytes().header(0, UINT64_MAX)), HasSubstr("m.gguf: metadata keys: "));
  EXPECT_EQ(open_refusal(Bytes().header(9, 0)), "m.gguf: tensor name: the file ends within it");
}

TEST(GgufFile, RefusesMetadataThatLies) {
  EXPECT_THAT(open_refusal(Bytes().header(0, 1).number(UINT64_MAX)), HasSubstr("metadata key: a string of"));
  EXPECT_EQ(open_refusal(Bytes().header(0, 1).string("k").number(kString).number<uint64_t>(9999)),
            "m.gguf: k: the file ends within it");
  EXPECT_THAT(open_refusal(Bytes().header(0, 1).string("k").number(kString).number<uint64_t>(1).raw("")),
              HasSubstr("k: "));
  EXPECT_EQ(open_refusal(Bytes().header(0, 1).string("k").number<uint32_t>(13)), "m.gguf: k: unknown type of value 13");
  EXPECT_THAT(open_refusal(Bytes().header(0, 1).string("k").number(kArray).number(kUint32).number(UINT64_MAX / 4 + 1)),
              HasSubstr("m.gguf: k: "));
  EXPECT_EQ(open_refusal(Bytes().header(0, 1).string("k").number(kArray).number<uint32_t>(77).number<uint64_t>(1)),
            "m.gguf: k: unknown type of array element 77");
  Bytes nested;
  nested.header(0, 1).string("k").number(kArray);
  for (int i = 0; i < 100; ++i) nested.number(kArray).number<uint64_t>(1);
  EXPECT_EQ(open_refusal(nested), "m.gguf: k: arrays nested deeper than 4");
  Bytes twice;
  for (int i = 0; i < 2; ++i) (i ? twice : twice.header(0, 2)).string("k").number(kUint32).number<uint32_t>(1);
  EXPECT_EQ(open_refusal(twice), "m.gguf: k: appears twice");
  EXPECT_EQ(open_refusal(Bytes().header(0, 1).string("general.alignment").number(kUint32).number<uint32_t>(24)),
            "m.gguf: general.alignment: not a power of two");
}

TEST(GgufFile, RefusesTensorsThatCannotBe) {
  EXPECT_EQ(open_refusal(Bytes().header(1, 0).string("t").number<uint32_t>(5)),
            "m.gguf: t: 5 dimensions, 1 to 4 are allowed");
  EXPECT_EQ(open_refusal(Bytes().header(1, 0).tensor("t", 0, 0, 0)), "m.gguf: t: impossible extent 0");
  EXPECT_THAT(open_refusal(Bytes().header(1, 0).tensor("t", UINT64_MAX, 0, 0)), HasSubstr("t: impossible extent"));
  Bytes huge;
  huge.header(1, 0).string("t").number<uint32_t>(4);
  for (int i = 0; i < 4; ++i) huge.number<uint64_t>((uint64_t{1} << 31) - 1);
  EXPECT_THAT(open_refusal(huge), HasSubstr("t: impossible extent"));
  EXPECT_EQ(open_refusal(Bytes().header(1, 0).tensor("t", 1, 99, 0)), "m.gguf: t: unknown type of tensor 99");
  EXPECT_EQ(open_refusal(Bytes().header(1, 0).tensor("t", 1, 12, 0)), "m.gguf: t: rows of 32 values cannot be Q4_K");
}

TEST(GgufFile, RefusesTensorsOutsideTheFileOrOnTopOfEachOther) {
  EXPECT_EQ(open_refusal(Bytes().header(1, 0).tensor("t", 2, 0, 0).data(255)),
            "m.gguf: t: its bytes 0 to 256 lie outside the file (truncated?)");
  EXPECT_THAT(open_refusal(Bytes().header(1, 0).tensor("t", 2, 0, UINT64_MAX - 31).data(256)), HasSubstr("outside"));
  EXPECT_EQ(open_refusal(Bytes().header(1, 0).tensor("t", 2, 0, 8).data(512)),
            "m.gguf: t: offset not a multiple of 32");
  EXPECT_EQ(open_refusal(Bytes().header(2, 0).tensor("t", 2, 0, 0).tensor("u", 2, 0, 224).data(512)),
            "m.gguf: u: overlaps t");
  EXPECT_EQ(open_refusal(Bytes().header(2, 0).tensor("t", 2, 0, 0).tensor("u", 2, 0, 0).data(512)),
            "m.gguf: u: overlaps another tensor");
  EXPECT_EQ(open_refusal(Bytes().header(2, 0).tensor("t", 2, 0, 0).tensor("t", 2, 0, 256).data(512)),
            "m.gguf: t: appears twice");
}

TEST(GgufFile, RefusesARealFileCutAnywhere) {
  const std::string whole = read_file(testdata("tiny_q4_0.gguf"));
  EXPECT_EQ(refusal([&] { GgufFile(std::as_bytes(std::span(whole)), "m.gguf"); }), "");
  for (size_t i = 0; i < 256; ++i) {
    const size_t length = whole.size() * i / 256;
    // A copy of exactly that length, so that AddressSanitizer sees every byte read beyond it.
    const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_THAT(refusal([&] { GgufFile(std::as_bytes(std::span(cut)), "m.gguf"); }), HasSubstr("m.gguf: ")) << length;
  }
}

}  // namespace
}  // namespace hearth::weights
