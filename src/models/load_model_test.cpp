// Model folders that are not as they should be: the error names the file and the key or tensor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "models/model.h"
#include "ops/testing.h"
#include "weights/model_folder.h"

namespace hearth::models {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A copy of a fixture whose config and tensors can be changed before it is loaded.
class Folder {
 public:
  explicit Folder(const std::string& fixture = "llama")
      : path_(fs::path(::testing::TempDir()) / ("hearth_load_" + std::to_string(counter_++))) {
    const fs::path source = fs::path(HEARTH_SOURCE_DIR "/src/models/testdata") / fixture;
    config = load_json(source / "config.json");
    tensors = mx::load_safetensors((source / "model.safetensors").string()).first;
  }
  ~Folder() { fs::remove_all(path_); }

  std::unique_ptr<Model> load() const {
    fs::create_directories(path_);
    write_file_atomically(path_ / "config.json", config.dump());
    mx::save_safetensors((path_ / "model.safetensors").string(), tensors);
    return load_model(weights::ModelFolder(path_));
  }
  std::string error() const {
    try {
      load();
    } catch (const LoadError& error) {
      return error.what();
    }
    return "no error";
  }

  Json config;
  std::unordered_map<std::string, mx::array> tensors;

 private:
  static inline int counter_ = 0;
  fs::path path_;
};

constexpr const char* kUpProj = "model.layers.1.mlp.up_proj.weight";

TEST(LoadModel, NamesATensorThatIsMissing) {
  Folder folder;
  folder.tensors.erase(kUpProj);
  EXPECT_THAT(folder.error(), HasSubstr(kUpProj));
}

TEST(LoadModel, NamesATensorThatIsTooMuch) {
  Folder folder;
  folder.tensors.insert_or_assign("model.layers.1.mlp.side_proj.weight", mx::zeros({2, 2}));
  EXPECT_THAT(folder.error(), HasSubstr("model.layers.1.mlp.side_proj.weight"));
}

TEST(LoadModel, NamesATensorOfTheWrongShapeOrType) {
  Folder folder;
  const mx::array right = folder.tensors.at(kUpProj);
  folder.tensors.insert_or_assign(kUpProj, mx::transpose(right));
  EXPECT_THAT(folder.error(), HasSubstr(kUpProj));
  folder.tensors.insert_or_assign(kUpProj, mx::astype(right, mx::int32));
  EXPECT_THAT(folder.error(), HasSubstr(kUpProj));
}

TEST(LoadModel, NamesAQuantizedTensorThatDoesNotFitItsBits) {
  Folder folder("llama_4bit");
  folder.config["quantization"]["bits"] = 8;  // shapes say more than what holds for all layers
  EXPECT_EQ(folder.error(), "no error");
  folder.config["quantization"]["model.layers.1.mlp.up_proj"] = {{"group_size", 32}, {"bits", 8}};
  EXPECT_THAT(folder.error(), HasSubstr("model.layers.1.mlp.up_proj.weight"));
}

TEST(LoadModel, NamesAKeyThatIsMissingOrAbsurd) {
  const auto error_with = [](const char* key, const Json& value) {
    Folder folder;
    if (value.is_discarded()) {
      folder.config.erase(key);
    } else {
      folder.config[key] = value;
    }
    const std::string error = folder.error();
    EXPECT_THAT(error, HasSubstr("config.json"));
    EXPECT_THAT(error, HasSubstr(key)) << value;
  };
  for (const char* key : {"hidden_size", "num_hidden_layers", "intermediate_size", "num_attention_heads", "vocab_size",
                          "rms_norm_eps", "model_type"}) {
    error_with(key, Json(Json::value_t::discarded));
    error_with(key, "x");
  }
  error_with("hidden_size", 0);
  error_with("hidden_size", 1e30);
  error_with("num_hidden_layers", 2'000'000'000);
  error_with("num_attention_heads", -4);
  error_with("num_key_value_heads", 3);
  error_with("head_dim", 7);
  error_with("vocab_size", 0.5);
  error_with("rms_norm_eps", -1);
  error_with("rope_theta", 0);
  error_with("layer_types", Json::array({"full_attention"}));
  error_with("layer_types", Json::array({"full_attention", "sideways_attention"}));
  error_with("model_type", "unheard-of");
  error_with("hidden_act", "prelu");
  error_with("hidden_act", 3);
}

TEST(LoadModel, NeedsTheWindowThatLayerTypesSpeakOf) {
  Folder folder;
  folder.config["layer_types"] = {"sliding_attention", "full_attention"};
  EXPECT_THAT(folder.error(), HasSubstr("sliding_window"));
}

TEST(LoadModel, NotesAnActivationThatMlxLmTakesForSilu) {
  Folder folder;
  EXPECT_TRUE(folder.load()->info().notes.empty());
  folder.config["hidden_act"] = "gelu_new";
  EXPECT_THAT(folder.load()->info().notes, ::testing::ElementsAre(HasSubstr("hidden_act is gelu_new")));
}

mx::array logits_of(const Folder& folder, int tokens) {
  const auto model = folder.load();
  const auto cache = model->make_cache();
  cache::RaggedBatch batch;
  batch.add(*cache, tokens);
  mx::array result = model->logits(model->forward(mx::arange(tokens), batch));
  mx::eval(result);
  return result;
}

TEST(LoadModel, GivesQwensLateLayersTheirWindow) {
  const auto with = [](const Json& changes) {
    Folder folder("qwen2");
    folder.config.update(changes);
    return logits_of(folder, 40);
  };
  const auto types = [&](const char* first, const char* second) {
    return with({{"layer_types", {first, second}}, {"sliding_window", 8}});
  };
  const auto late = [&](const Json& use, const Json& window, const Json& first) {
    return with({{"use_sliding_window", use}, {"sliding_window", window}, {"max_window_layers", first}});
  };
  const mx::array none = with(Json::object());
  const mx::array one = types("full_attention", "sliding_attention");
  const mx::array both = types("sliding_attention", "sliding_attention");
  EXPECT_FALSE(testing::same_bits(none, one) || testing::same_bits(one, both));
  EXPECT_TRUE(testing::same_bits(late(true, 8, 2), none));
  EXPECT_TRUE(testing::same_bits(late(true, 8, 1), one));
  EXPECT_TRUE(testing::same_bits(late(true, 8, 0), both));
  EXPECT_TRUE(testing::same_bits(late(false, 8, 0), none));
  EXPECT_TRUE(testing::same_bits(late(nullptr, 8, 0), none));
  EXPECT_TRUE(testing::same_bits(late(true, nullptr, 0), none));
  EXPECT_TRUE(testing::same_bits(late(true, 8, nullptr), none));  // from the 28th layer on
}

TEST(LoadModel, TurnsEachKindOfLayerByItsOwnRope) {
  Folder one;
  one.config.update({{"layer_types", {"sliding_attention", "full_attention"}}, {"sliding_window", 24}});
  Folder same = one, other = one;
  const Json plain = {{"rope_type", "default"}, {"rope_theta", 10000.0}};
  same.config["rope_parameters"] = {{"full_attention", plain}, {"sliding_attention", plain}};
  other.config["rope_parameters"] = {{"full_attention", plain},
                                     {"sliding_attention", {{"rope_type", "linear"}, {"factor", 2.0}}}};
  EXPECT_TRUE(testing::same_bits(logits_of(one, 20), logits_of(same, 20)));
  EXPECT_FALSE(testing::same_bits(logits_of(one, 20), logits_of(other, 20)));
  other.config["rope_parameters"].erase("full_attention");
  EXPECT_THAT(other.error(), HasSubstr("rope_parameters.full_attention"));
}

TEST(LoadModel, DropsWhatOldAndTiedFoldersCarry) {
  Folder folder;
  folder.tensors.insert_or_assign("model.layers.0.self_attn.rotary_emb.inv_freq", mx::zeros({4}));
  folder.tensors.insert_or_assign("lm_head.weight", mx::zeros({64, 32}));
  EXPECT_EQ(folder.error(), "no error");
}

TEST(LoadModel, UsesTheHeadThatIsThereWhenTheConfigDoesNotSay) {
  Folder tied, untied("qwen2");
  tied.config.erase("tie_word_embeddings");
  untied.config.erase("tie_word_embeddings");
  EXPECT_EQ(tied.error(), "no error");
  EXPECT_EQ(untied.error(), "no error");
}

TEST(LoadModel, TellsWhatPlannersNeed) {
  const Folder folder;
  const ModelInfo info = folder.load()->info();
  EXPECT_EQ(info.vocab_size, 64);
  EXPECT_EQ(info.layers, 2);
  EXPECT_EQ(info.context_length, 64);
  EXPECT_EQ(info.kv_bytes_per_token, 2u * 2 * 8 * 4 * 2);  // keys and values, heads, head size, float32, layers
  size_t bytes = 0;
  for (const auto& [name, tensor] : folder.tensors) bytes += tensor.nbytes();
  EXPECT_EQ(info.weight_bytes, bytes);
}

TEST(LoadModel, GivesBackItsMemory) {
  const Folder folder;
  folder.load();
  const size_t before = mx::get_active_memory();
  folder.load();
  EXPECT_EQ(mx::get_active_memory(), before);
}

}  // namespace
}  // namespace hearth::models
