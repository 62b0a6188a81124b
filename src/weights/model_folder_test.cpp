#include "weights/model_folder.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "weights/safetensors_writer.h"
#include "weights/scratch_folder_test.h"

namespace hearth::weights {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ModelFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    write("config.json", R"({"model_type": "llama", "eos_token_id": 2})");
    write_tensors({{"a.weight", "F32", {2, 3}, 24}, {"b.scales", "F16", {4}, 8}, {"b.weight", "U32", {2}, 8}});
  }
  void write(const std::string& name, std::string_view text) { write_file_atomically(folder_ / name, text); }
  void write_tensors(const std::vector<TensorPlan>& tensors, uint64_t shard_bytes = SafetensorsWriter::kShardBytes) {
    SafetensorsWriter writer(folder_.path(), tensors, shard_bytes);
    for (const TensorPlan& tensor : tensors) writer.write(std::vector<std::byte>(tensor.bytes));
    writer.finish(0);
  }
  std::string refused() const {
    return refusal([&] { ModelFolder{folder_.path()}; });
  }

  ScratchFolder folder_;
};

TEST_F(ModelFolderTest, OpensConfigAndTensors) {
  const ModelFolder model(folder_.path());
  EXPECT_EQ(model.model_type(), "llama");
  EXPECT_EQ(model.bytes(), 40u);
  EXPECT_THAT(model.tensors().names(), ElementsAre("a.weight", "b.scales", "b.weight"));
  EXPECT_THAT(model.eos_token_ids(), ElementsAre(2));
}

TEST_F(ModelFolderTest, LetsGenerationConfigNameTheEndTokens) {
  write("generation_config.json", R"({"eos_token_id": [7, 8]})");
  EXPECT_THAT(ModelFolder(folder_.path()).eos_token_ids(), ElementsAre(7, 8));
  write("generation_config.json", R"({"temperature": 1})");
  EXPECT_THAT(ModelFolder(folder_.path()).eos_token_ids(), ElementsAre(2));
  write("config.json", R"({"model_type": "llama", "eos_token_id": -1})");
  EXPECT_THAT(ModelFolder(folder_.path()).eos_token_ids(), IsEmpty());
}

TEST_F(ModelFolderTest, MergesShards) {
  fs::remove(folder_ / "model.safetensors");
  write_tensors({{"x", "F32", {2}, 8}, {"y", "F32", {2}, 8}, {"z", "F32", {1}, 4}}, 12);
  EXPECT_THAT(ModelFolder(folder_.path()).tensors().names(), ElementsAre("x", "y", "z"));
}

TEST_F(ModelFolderTest, NamesAShardThatIsMissing) {
  fs::remove(folder_ / "model.safetensors");
  write_tensors({{"x", "F32", {2}, 8}, {"y", "F32", {2}, 8}}, 8);
  fs::remove(folder_ / "model-00002-of-00002.safetensors");
  EXPECT_EQ(refused(), (folder_ / "model.safetensors.index.json").string() +
                           ": model-00002-of-00002.safetensors: this file is missing");
}

TEST_F(ModelFolderTest, IgnoresAnIndexOfOtherFiles) {
  write("model.safetensors.index.json",
        R"({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})");
  EXPECT_EQ(ModelFolder(folder_.path()).bytes(), 40u);
}

TEST_F(ModelFolderTest, RefusesAnIndexThatPointsElsewhere) {
  write("model.safetensors.index.json", R"({"weight_map": {"a": "../../etc/passwd"}})");
  EXPECT_THAT(refused(), HasSubstr("../../etc/passwd: not the name of a file model*.safetensors"));
  for (const std::string& damaged : {std::string(100'000, '['), std::string("[]"), std::string("null"),
                                     std::string(R"({"weight_map": 5})"), std::string(R"({"weight_map": {"a": 5}})")}) {
    write("model.safetensors.index.json", damaged);
    EXPECT_THAT(refused(), HasSubstr("model.safetensors.index.json: not a valid index"));
  }
}

TEST_F(ModelFolderTest, TakesTheFilesOfAnIndexAndNoOthers) {
  write_tensors({{"x", "F32", {2}, 8}, {"y", "F32", {2}, 8}}, 8);
  EXPECT_TRUE(fs::exists(folder_ / "model.safetensors"));
  EXPECT_THAT(ModelFolder(folder_.path()).tensors().names(), ElementsAre("x", "y"));
  write("model-old.safetensors", "damaged");
  fs::copy(folder_ / "model-00001-of-00002.safetensors", folder_ / "model-copy.safetensors");
  EXPECT_THAT(ModelFolder(folder_.path()).tensors().names(), ElementsAre("x", "y"));
}

TEST_F(ModelFolderTest, WarnsOfAGenerationConfigThatIsNoJson) {
  const std::string path = (folder_ / "generation_config.json").string();
  const std::pair<const char*, const char*> cases[] = {{R"({"eos_token_id": [7, 8],})", "not valid JSON at byte 25"},
                                                       {R"({"temperature": 0,7})", "not valid JSON at byte 19"},
                                                       {"", "not valid JSON at byte 1"},
                                                       {"[1]", "not a JSON object"},
                                                       {"null", "not a JSON object"}};
  for (const auto& [text, why] : cases) {
    write("generation_config.json", text);
    const ModelFolder model(folder_.path());
    EXPECT_THAT(model.eos_token_ids(), ElementsAre(2));
    EXPECT_THAT(model.warnings(), ElementsAre(path + ": " + why + "; the file is ignored"));
  }
  write("generation_config.json", R"({"eos_token_id": 7, "temperature": NaN})");
  EXPECT_THAT(ModelFolder(folder_.path()).warnings(), IsEmpty());
  write("generation_config.json", R"({"eos_token_id": "7"})");
  EXPECT_THAT(refused(), HasSubstr("generation_config.json: eos_token_id: "));
}

TEST_F(ModelFolderTest, ReadsConstantsThatPythonWrote) {
  write("config.json", R"({"model_type": "llama", "a": NaN, "b": [Infinity, -Infinity]})");
  const ModelFolder model(folder_.path());
  EXPECT_EQ(refusal([&] { model.read_config().number("a"); }),
            (folder_ / "config.json").string() + ": a: nan is not a number from -1e+30 to 1e+30");
  EXPECT_THAT(refusal([&] { model.read_config().numbers("b"); }), HasSubstr("b: inf is not a number from"));
  EXPECT_THAT(refusal([&] { model.read_config().integer("a"); }), HasSubstr("a: nan is not a whole number"));
}

TEST_F(ModelFolderTest, KnowsGitLfsPointers) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') + "\nsize 988097824\n";
  for (const char* name : {"model.safetensors", "config.json"}) {
    write(name, pointer);
    EXPECT_EQ(refused(), (folder_ / name).string() +
                             ": only a Git LFS pointer; the file itself was not downloaded (git lfs pull fetches it)");
  }
}

TEST_F(ModelFolderTest, NamesATensorThatIsInTwoFiles) {
  fs::remove(folder_ / "model.safetensors.index.json");
  fs::copy(folder_ / "model.safetensors", folder_ / "model-extra.safetensors");
  EXPECT_THAT(refused(), HasSubstr("model.safetensors: "));
  EXPECT_THAT(refused(), HasSubstr("also in model-extra.safetensors"));
}

TEST_F(ModelFolderTest, NamesWhatIsMissingOrDamaged) {
  EXPECT_EQ(refusal([] { ModelFolder("/nonexistent"); }), "/nonexistent: no such folder");
  write("config.json", R"({"model_type": 3})");
  EXPECT_EQ(refused(), (folder_ / "config.json").string() + ": model_type: 3 is not a string");
  write("config.json", "{");
  EXPECT_THAT(refused(), HasSubstr("config.json: not valid JSON at byte"));
  write("config.json", "[]");
  EXPECT_THAT(refused(), HasSubstr("config.json: not a JSON object"));
  write("config.json", R"({"model_type": "llama", "eos_token_id": 1e18})");
  EXPECT_THAT(refused(), HasSubstr("config.json: eos_token_id: 1e+18 is not a whole number"));
  fs::remove(folder_ / "config.json");
  EXPECT_THAT(refused(), HasSubstr("config.json: cannot open: No such file"));
  write("config.json", R"({"model_type": "llama"})");
  fs::remove(folder_ / "model.safetensors");
  fs::remove(folder_ / "model.safetensors.index.json");
  EXPECT_EQ(refused(), folder_.path().string() + ": holds no model*.safetensors");
}

TEST_F(ModelFolderTest, RefusesASafetensorsFileCutAnywhere) {
  const std::string whole = read_file(folder_ / "model.safetensors");
  for (size_t i = 0; i < 32; ++i) {
    write("model.safetensors", whole.substr(0, whole.size() * i / 32));
    EXPECT_THAT(refused(), HasSubstr("model.safetensors: ")) << i;
  }
}

TEST_F(ModelFolderTest, RefusesSafetensorsHeadersThatLie) {
  const auto file = [&](const std::string& header, size_t data, int64_t lie = 0) {
    const uint64_t size = header.size() + static_cast<uint64_t>(lie);
    write("model.safetensors", std::string(reinterpret_cast<const char*>(&size), 8) + header + std::string(data, '\0'));
    return refused();
  };
  EXPECT_EQ(file(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})", 8), "");
  EXPECT_THAT(file("{}", 0, INT64_MAX - 2), HasSubstr("model.safetensors: "));
  EXPECT_THAT(file(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})", 4), HasSubstr("a: "));
  EXPECT_THAT(file(R"({"a": {"dtype": "F33", "shape": [2], "data_offsets": [0, 8]}})", 8), HasSubstr("a: "));
  EXPECT_THAT(file(R"({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}})", 8), HasSubstr("a: "));
  EXPECT_THAT(file(R"({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}})", 8), HasSubstr("a: "));
  EXPECT_THAT(file(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}})", 8), HasSubstr("a: "));
  EXPECT_THAT(file(R"({"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]}})", 8),
              HasSubstr("a: "));
  EXPECT_THAT(file(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                       "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}})",
                   12),
              HasSubstr("model.safetensors: "));
  EXPECT_THAT(file(std::string(100'000, '['), 8), HasSubstr("model.safetensors: "));
}

TEST_F(ModelFolderTest, QuantizesALayerThatHasScalesOrAnEntry) {
  write("config.json", R"({"model_type": "llama", "quantization": {"group_size": 64, "bits": 4,
                           "c": {"group_size": 32, "bits": 8}, "d": false}})");
  const ModelFolder model(folder_.path());
  EXPECT_EQ(model.quantization("a", 64), std::nullopt);
  EXPECT_EQ(model.quantization("b", 64), (Quantization{.group_size = 64, .bits = 4}));
  EXPECT_EQ(model.quantization("c", 64), (Quantization{.group_size = 32, .bits = 8}));
  EXPECT_EQ(model.quantization("d", 64), std::nullopt);
}

TEST(Quantization, FollowsShapesWhereTheyAreOfAnotherKind) {
  const Quantization recipe{.group_size = 64, .bits = 4};
  EXPECT_EQ(recipe.of_shapes(128, 16, 2), recipe);
  EXPECT_EQ(recipe.of_shapes(128, 24, 4), (Quantization{.group_size = 32, .bits = 6}));
  EXPECT_EQ(recipe.of_shapes(128, 32, 1), (Quantization{.group_size = 128, .bits = 8}));
  EXPECT_EQ(recipe.of_shapes(128, 28, 2), recipe);  // 7 bits
  EXPECT_EQ(recipe.of_shapes(128, 16, 8), recipe);  // groups of 16
  EXPECT_EQ(recipe.of_shapes(128, 0, 0), recipe);
}

TEST_F(ModelFolderTest, RefusesScalesWithoutARecipe) {
  const ModelFolder model(folder_.path());
  EXPECT_EQ(refusal([&] { model.quantization("b", 64); }),
            (folder_ / "config.json").string() + ": quantization: missing, but there is a tensor b.scales");
}

TEST_F(ModelFolderTest, GivesTensorsToWhoTakesThem) {
  const ModelFolder model(folder_.path());
  TensorSet tensors = model.tensors();
  EXPECT_EQ(tensors.take("a.weight", {2, -1}).shape(), (mx::Shape{2, 3}));
  EXPECT_FALSE(tensors.contains("a.weight"));
  EXPECT_EQ(tensors.take("b.weight", {2}, TensorClass::kPacked).dtype(), mx::uint32);
  EXPECT_EQ(tensors.take_optional("b.biases", {4}).has_value(), false);
  EXPECT_TRUE(model.tensors().contains("a.weight"));
}

TEST_F(ModelFolderTest, NamesTensorsThatAreMissingMisshapenOrLeftOver) {
  TensorSet tensors = ModelFolder(folder_.path()).tensors();
  const std::string file = (folder_ / "model.safetensors").string();
  EXPECT_EQ(refusal([&] {
              tensors.take("c", {2, 3});
            }),
            folder_.path().string() + ": c: missing tensor of shape [2, 3]");
  EXPECT_EQ(refusal([&] {
              tensors.take("a.weight", {3, -1});
            }),
            file + ": a.weight: has shape [2, 3], the config asks for [3, *]");
  EXPECT_EQ(refusal([&] { tensors.take("b.weight", {2}); }), file + ": b.weight: is not float16, bfloat16 or float32");
  EXPECT_EQ(refusal([&] { tensors.require_empty(); }),
            file + ": a.weight, b.scales, b.weight: the model has no place for these tensors (3 in all)");
  tensors.drop("a.weight");
  tensors.take("b.scales", {4});
  EXPECT_EQ(refusal([&] { tensors.require_empty(); }), file + ": b.weight: the model has no place for this tensor");
}

TEST_F(ModelFolderTest, TiesTheHeadWhenTheConfigSaysSo) {
  const Json config = parse_json(R"({"tie_word_embeddings": true})", "");
  TensorSet tensors("model");
  tensors.add("lm_head.weight", mx::array({1.0f}), "f");
  EXPECT_FALSE(tie_head(ConfigReader(Json::object(), ""), tensors, false));
  EXPECT_TRUE(tensors.contains("lm_head.weight"));
  EXPECT_TRUE(tie_head(ConfigReader(config, ""), tensors, false));
  EXPECT_FALSE(tensors.contains("lm_head.weight"));
}

}  // namespace
}  // namespace hearth::weights
