#include "weights/safetensors_writer.h"

#include <gmock/gmock.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "weights/scratch_folder_test.h"

namespace hearth::weights {
namespace {

const std::vector<TensorPlan> kTensors = {{"a", "F16", {2, 2}, 8}, {"b", "U32", {1}, 4}, {"c", "F32", {3}, 12}};

// Writes bytes 0, 1, 2, ... in pieces of at most `piece`.
void write_all(SafetensorsWriter& writer, size_t piece) {
  uint8_t next = 0;
  for (const TensorPlan& tensor : kTensors) {
    std::vector<uint8_t> bytes(tensor.bytes);
    for (uint8_t& byte : bytes) byte = next++;
    for (size_t at = 0; at < bytes.size(); at += piece)
      writer.write(std::as_bytes(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at))));
  }
}

struct Parsed {
  Json header;
  std::string data;
};

Parsed parse(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  uint64_t size;
  std::memcpy(&size, content.data(), sizeof(size));
  return {parse_json(content.substr(8, size), "header"), content.substr(8 + size)};
}

TEST(SafetensorsWriter, WritesOneFileWithAlignedData) {
  const ScratchFolder folder;
  SafetensorsWriter writer(folder.path(), kTensors);
  write_all(writer, 3);
  writer.finish(8);
  const auto [header, data] = parse(folder / "model.safetensors");
  EXPECT_EQ(header["__metadata__"]["format"], "mlx");
  EXPECT_EQ(header["c"], parse_json(R"({"dtype": "F32", "shape": [3], "data_offsets": [12, 24]})", ""));
  ASSERT_EQ(data.size(), 24u);
  for (int i = 0; i < 24; ++i) EXPECT_EQ(data[i], i);
  EXPECT_EQ((std::filesystem::file_size(folder / "model.safetensors") - 24) % 64, 0u);
}

TEST(SafetensorsWriter, CutsShardsAndIndexesThemAsMlxLmDoes) {
  const ScratchFolder folder;
  SafetensorsWriter writer(folder.path(), kTensors, 12);
  write_all(writer, 100);
  writer.finish(8);
  EXPECT_EQ(parse(folder / "model-00001-of-00002.safetensors").data.size(), 12u);
  EXPECT_EQ(parse(folder / "model-00002-of-00002.safetensors").header["c"]["data_offsets"], Json::array({0, 12}));
  const Json index = load_json(folder / "model.safetensors.index.json");
  EXPECT_EQ(index["metadata"], parse_json(R"({"total_size": 24, "total_parameters": 8})", ""));
  EXPECT_EQ(index["weight_map"]["b"], "model-00001-of-00002.safetensors");
  EXPECT_EQ(index["weight_map"]["c"], "model-00002-of-00002.safetensors");
}

TEST(SafetensorsWriter, HoldsItsCallerToThePlan) {
  const ScratchFolder folder;
  SafetensorsWriter writer(folder.path(), kTensors);
  EXPECT_THROW(writer.finish(8), std::invalid_argument);
  const std::vector<std::byte> too_many(25);
  EXPECT_THROW(writer.write(too_many), std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(folder / "model.safetensors"));
}

TEST(SafetensorsWriter, NamesAFolderItCannotWriteTo) {
  EXPECT_THAT(refusal([] { SafetensorsWriter("/nonexistent/folder", kTensors); }),
              testing::HasSubstr("/nonexistent/folder/model.safetensors: cannot create"));
}

}  // namespace
}  // namespace hearth::weights
