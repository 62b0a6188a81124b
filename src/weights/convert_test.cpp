// Converts the fixtures of tools/make_gguf_fixtures.py, and compares with what the gguf package dequantizes them to.
#include "weights/convert.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/half.h"
#include "base/json.h"
#include "core/mx.h"
#include "weights/gguf.h"
#include "weights/gguf_tokenizer.h"
#include "weights/scratch_folder_test.h"

namespace hearth::weights {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A safetensors file taken apart by hand: the writer's own code has no part in it.
struct Safetensors {
  explicit Safetensors(const fs::path& path) : content(read_file(path)) {
    uint64_t size;
    std::memcpy(&size, content.data(), sizeof(size));
    header = parse_json(std::string_view(content).substr(8, size), path.string());
    data = content.data() + 8 + size;
  }
  template <typename T>
  std::vector<T> values(const std::string& name) const {
    const uint64_t begin = header.at(name).at("data_offsets")[0], end = header.at(name).at("data_offsets")[1];
    std::vector<T> result((end - begin) / sizeof(T));
    std::memcpy(result.data(), data + begin, end - begin);
    return result;
  }
  std::vector<float> floats(const std::string& name) const {
    const std::string dtype = header.at(name).at("dtype");
    if (dtype == "F32") return values<float>(name);
    std::vector<float> result;
    for (uint16_t bits : values<uint16_t>(name))
      result.push_back(dtype == "F16" ? float16_to_float(bits) : bfloat16_to_float(bits));
    return result;
  }

  // A layer's weight as numbers; scale * q + bias where it is quantized.
  std::vector<float> weight(const std::string& layer) const {
    if (!header.contains(layer + ".scales")) return floats(layer + ".weight");
    const auto packed = values<uint32_t>(layer + ".weight");
    const auto scales = floats(layer + ".scales"), biases = floats(layer + ".biases");
    const size_t bits = packed.size() / scales.size();
    std::vector<float> result;
    for (size_t i = 0; i < scales.size() * 32; ++i) {
      const size_t bit = i * bits, word = bit / 32;
      const uint64_t pair = packed[word] | (word + 1 < packed.size() ? uint64_t{packed[word + 1]} << 32 : 0);
      const auto q = static_cast<float>((pair >> (bit % 32)) & ((1u << bits) - 1));
      result.push_back(scales[i / 32] * q + biases[i / 32]);
    }
    return result;
  }

  std::string content;
  Json header;
  const char* data;
};

std::vector<float> expected_values(const std::string& name) {
  const std::string bytes = read_file(testdata(name + ".expected"));
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// Replaces text inside a fixture by text of equal length.
std::string altered(const std::string& fixture, std::string_view from, std::string_view to) {
  std::string bytes = read_file(testdata(fixture));
  const size_t at = bytes.find(from);
  EXPECT_NE(at, bytes.npos);
  return bytes.replace(at, from.size(), to);
}

class ConvertTest : public testing::Test {
 protected:
  ConvertReport convert(const std::string& name, FloatType dtype, int requantize_bits = 0) {
    fs::remove_all(output_);
    return convert_gguf(
        {.gguf = testdata(name + ".gguf"), .output = output_, .dtype = dtype, .requantize_bits = requantize_bits});
  }
  // The first rows of down_proj in the layers of tiny_k_quants: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K.
  std::vector<float> k_quant_rows() const {
    const Safetensors file = tensors();
    std::vector<float> values;
    for (int layer = 0; layer < 5; ++layer) {
      const auto rows = file.weight("model.layers." + std::to_string(layer) + ".mlp.down_proj");
      values.insert(values.end(), rows.begin(), rows.begin() + 8 * 256);
    }
    return values;
  }
  static const ConvertedType& of(const ConvertReport& report, std::string_view type) {
    return *std::ranges::find_if(report.types, [&](const ConvertedType& one) { return one.name == type; });
  }
  Json json(const std::string& name) const { return load_json(output_ / name); }
  Safetensors tensors() const { return Safetensors(output_ / "model.safetensors"); }

  ScratchFolder scratch_;
  fs::path output_ = scratch_ / "model";
};

class ConvertType : public ConvertTest, public testing::WithParamInterface<const char*> {};

TEST_P(ConvertType, KeepsEveryValue) {
  convert(GetParam(), FloatType::kFloat32);
  const Safetensors file = tensors();
  std::vector<float> values = file.weight("model.layers.0.self_attn.q_proj");
  const std::vector<float> down = file.weight("model.layers.0.mlp.down_proj");
  values.insert(values.end(), down.begin(), down.end());
  EXPECT_EQ(values, expected_values(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(EveryType, ConvertType,
                         testing::Values("tiny_f32", "tiny_f16", "tiny_bf16", "tiny_q4_0", "tiny_q4_1", "tiny_q5_0",
                                         "tiny_q5_1", "tiny_q8_0"));

TEST_F(ConvertTest, KeepsQuantizedValuesInFloat16Too) {
  const ConvertReport report = convert("tiny_q4_0", FloatType::kFloat16);
  ASSERT_EQ(report.types.size(), 1u);
  EXPECT_EQ(report.types[0].name, "Q4_0");
  EXPECT_EQ(report.types[0].bits, 4);
  EXPECT_EQ(report.types[0].loss, 0);
  EXPECT_EQ(report.tensors, tensors().header.size() - 1);
  EXPECT_EQ(tensors().header.at("model.norm.weight").at("dtype"), "F16");
  std::vector<float> values = tensors().weight("model.layers.0.self_attn.q_proj");
  const std::vector<float> expected = expected_values("tiny_q4_0");
  EXPECT_TRUE(std::equal(values.begin(), values.end(), expected.begin()));
}

TEST_F(ConvertTest, SaysWhetherFloatsWereRounded) {
  const double loss = convert("tiny_f32", FloatType::kFloat16).types[0].loss;
  EXPECT_GT(loss, 0x1p-14);
  EXPECT_LT(loss, 0x1p-11);  // rounding to 11 bits
  fs::remove_all(output_);
  EXPECT_EQ(convert("tiny_f32", FloatType::kFloat32).types[0].loss, 0);
}

TEST_F(ConvertTest, RoundsScalesToBfloat16AndSaysSo) {
  EXPECT_GT(convert("tiny_q8_0", FloatType::kBFloat16).types[0].loss, 0x1p-12);
  const Safetensors file = tensors();
  EXPECT_EQ(file.header.at("model.embed_tokens.scales").at("dtype"), "BF16");
  const auto scales = file.floats("model.embed_tokens.scales"), biases = file.floats("model.embed_tokens.biases");
  for (size_t i = 0; i < scales.size(); ++i) EXPECT_EQ(biases[i], -128 * scales[i]);
}

TEST_F(ConvertTest, KeepsEveryValueOfKQuantsInFloat32) {
  const ConvertReport report = convert("tiny_k_quants", FloatType::kFloat32);
  EXPECT_EQ(k_quant_rows(), expected_values("tiny_k_quants"));
  for (const ConvertedType& type : report.types) EXPECT_EQ(type.loss, 0) << type.name;
  EXPECT_EQ(of(report, "Q4_K").bits, 4);
  EXPECT_EQ(of(report, "Q5_K").bits, 5);
  EXPECT_EQ(of(report, "Q6_K").bits, 0);
  EXPECT_EQ(of(report, "Q6_K").bytes, 32u * 256 * 4);
  EXPECT_EQ(of(report, "Q6_K").bytes_before, 32u * 210);
  EXPECT_FALSE(tensors().header.contains("model.layers.4.mlp.down_proj.scales"));
}

TEST_F(ConvertTest, MeasuresWhatKQuantsLoseInFloat16) {
  const ConvertReport report = convert("tiny_k_quants", FloatType::kFloat16);
  const std::vector<float> expected = expected_values("tiny_k_quants"), stored = k_quant_rows();
  for (const char* type : {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"}) {
    EXPECT_GT(of(report, type).loss, 0) << type;
    EXPECT_LT(of(report, type).loss, 0x1p-11) << type;
  }
  double lost = 0, whole = 0;
  for (size_t i = 0; i < 8 * 256; ++i) {
    lost += std::pow(double{stored[i]} - double{expected[i]}, 2);
    whole += std::pow(double{expected[i]}, 2);
  }
  EXPECT_NEAR(of(report, "Q2_K").loss / std::sqrt(lost / whole), 1, 0.3);  // which counts all 32 rows
  EXPECT_EQ(json("config.json")["quantization"]["model.layers.3.mlp.down_proj"],
            parse_json(R"({"group_size": 32, "bits": 5})", ""));
}

TEST_F(ConvertTest, QuantizesAnewWhatNoGroupHoldsWhereAsked) {
  const ConvertReport report = convert("tiny_k_quants", FloatType::kFloat16, 8);
  EXPECT_TRUE(of(report, "Q6_K").requantized);
  EXPECT_EQ(of(report, "Q6_K").bits, 8);
  EXPECT_EQ(of(report, "Q6_K").bytes, 32u * 256 * 9 / 8);
  // Codes that are spread evenly lose 1 / 255; a group whose halves differ in scale has smaller numbers, by up to 1 /
  // √2.
  EXPECT_LT(of(report, "Q6_K").loss, std::sqrt(2.0) / 255);
  EXPECT_FALSE(of(report, "Q4_K").requantized);
  EXPECT_GT(of(convert("tiny_k_quants", FloatType::kFloat16, 4), "Q6_K").loss, 0.02);
  EXPECT_THROW(convert("tiny_k_quants", FloatType::kFloat16, 7), std::invalid_argument);
}

TEST_F(ConvertTest, WritesQuantizedAnewWhatMlxMakesOfTheRoundedNumbers) {
  convert("tiny_k_quants", FloatType::kFloat16);
  const std::vector<float> numbers = tensors().floats("model.layers.4.mlp.down_proj.weight");
  const auto parts = mx::quantize(mx::astype(mx::array(numbers.data(), {32, 256}, mx::float32), mx::float16), 32, 6);
  convert("tiny_k_quants", FloatType::kFloat16, 6);
  const auto codes = tensors().values<uint32_t>("model.layers.4.mlp.down_proj.weight");
  const auto scales = tensors().values<uint16_t>("model.layers.4.mlp.down_proj.scales");
  mx::array written(codes.data(), {32, 256 * 6 / 32}, mx::uint32);
  EXPECT_TRUE(mx::array_equal(written, parts[0]).item<bool>());
  EXPECT_EQ(std::memcmp(scales.data(), mx::contiguous(parts[1]).data<std::byte>(), scales.size() * 2), 0);
}

TEST_F(ConvertTest, TakesQwen2AsItIs) {
  convert("tiny_qwen2", FloatType::kFloat32);
  const Json config = json("config.json");
  EXPECT_EQ(config["model_type"], "qwen2");
  EXPECT_EQ(config["architectures"], Json::array({"Qwen2ForCausalLM"}));
  EXPECT_FALSE(config.contains("attention_bias"));
  const Safetensors file = tensors();
  std::vector<float> values = file.weight("model.layers.0.self_attn.q_proj");
  const auto bias = file.floats("model.layers.0.self_attn.q_proj.bias");
  const auto down = file.weight("model.layers.0.mlp.down_proj");
  values.insert(values.end(), bias.begin(), bias.end());
  values.insert(values.end(), down.begin(), down.end());
  EXPECT_EQ(values, expected_values("tiny_qwen2"));
  EXPECT_FALSE(file.header.contains("model.layers.0.self_attn.o_proj.bias"));
}

TEST_F(ConvertTest, GivesQwen2TheBiasesThatItsFileLacks) {
  std::string bytes = read_file(testdata("tiny_q8_0.gguf"));
  for (size_t at; (at = bytes.find("llama")) != bytes.npos;) bytes.replace(at, 5, "qwen2");
  write_file_atomically(scratch_ / "qwen2.gguf", bytes);
  convert_gguf({.gguf = scratch_ / "qwen2.gguf", .output = output_});
  for (const char* name : {"q_proj", "k_proj", "v_proj"})
    EXPECT_THAT(tensors().floats("model.layers.0.self_attn." + std::string(name) + ".bias"), testing::Each(0.0f));
}

TEST_F(ConvertTest, TakesQwen3WithItsNormsAndHeadSize) {
  convert("tiny_qwen3", FloatType::kFloat32);
  const Json config = json("config.json");
  EXPECT_EQ(config["model_type"], "qwen3");
  EXPECT_EQ(config["head_dim"], 16);
  const Safetensors file = tensors();
  std::vector<float> values = file.weight("model.layers.0.self_attn.q_proj");
  const auto down = file.weight("model.layers.0.mlp.down_proj");
  values.insert(values.end(), down.begin(), down.end());
  for (const char* name : {"q_norm", "k_norm"}) {
    const auto norm = file.floats("model.layers.0.self_attn." + std::string(name) + ".weight");
    values.insert(values.end(), norm.begin(), norm.end());
  }
  EXPECT_EQ(values, expected_values("tiny_qwen3"));
}

TEST_F(ConvertTest, JoinsASplitModelGivenAnyOfItsParts) {
  convert("tiny_q4_0", FloatType::kFloat16);
  const std::string whole = read_file(output_ / "model.safetensors");
  for (const char* part : {"tiny_split-00001-of-00003", "tiny_split-00002-of-00003", "tiny_split-00003-of-00003"}) {
    convert(part, FloatType::kFloat16);
    EXPECT_EQ(read_file(output_ / "model.safetensors"), whole) << part;
  }
}

TEST_F(ConvertTest, NamesThePartThatIsMissingOrDoesNotFit) {
  const auto name = [](int i) { return "m-0000" + std::to_string(i) + "-of-00003.gguf"; };
  const auto part = [&](int i) {
    return read_file(testdata("tiny_split-0000" + std::to_string(i) + "-of-00003.gguf"));
  };
  const auto why = [&] { return refusal([&] { convert_gguf({.gguf = scratch_ / name(2), .output = output_}); }); };
  for (int i : {1, 2}) write_file_atomically(scratch_ / name(i), part(i));
  EXPECT_EQ(why(), (scratch_ / name(3)).string() + ": missing: part 3 of 3");
  write_file_atomically(scratch_ / name(3), part(2));
  EXPECT_EQ(why(), (scratch_ / name(3)).string() + ": split.no: this is part 2, not part 3");
  write_file_atomically(scratch_ / name(3), read_file(testdata("tiny_q4_0.gguf")));
  EXPECT_EQ(why(), (scratch_ / name(3)).string() + ": split.count: 1, but there are 3 files");
  std::string twice = part(3);
  const std::string count = "split.no";
  twice = part(2);
  twice[twice.find(count) + count.size() + 4] = 2;
  write_file_atomically(scratch_ / name(3), twice);
  EXPECT_THAT(why(), HasSubstr("also in another part of the model"));
  fs::rename(scratch_ / name(2), scratch_ / "second.gguf");
  EXPECT_THAT(refusal([&] { convert_gguf({.gguf = scratch_ / "second.gguf", .output = output_}); }),
              HasSubstr("second.gguf: split.count: one of 3 files, but its name does not end in -00001-of-00003.gguf"));
}

TEST_F(ConvertTest, WritesHuggingFacesConfig) {
  convert("tiny_q5_1", FloatType::kFloat16);
  EXPECT_EQ(json("config.json"), parse_json(R"({
      "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 32, "num_hidden_layers": 1,
      "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1, "rms_norm_eps": 1e-05,
      "vocab_size": 24, "rope_theta": 10000.0, "max_position_embeddings": 128, "tie_word_embeddings": true,
      "torch_dtype": "float16", "quantization": {"group_size": 32, "bits": 5},
      "quantization_config": {"group_size": 32, "bits": 5}, "eos_token_id": 0, "bos_token_id": 1})",
                                            ""));
  EXPECT_EQ(json("generation_config.json"), parse_json(R"({"bos_token_id": 1, "eos_token_id": 0})", ""));
}

TEST_F(ConvertTest, TakesHeadBiasesFrequenciesAndMixedTypesAlong) {
  convert("tiny_llama3", FloatType::kFloat32);
  const Json config = json("config.json");
  EXPECT_EQ(config["tie_word_embeddings"], false);
  EXPECT_EQ(config["attention_bias"], true);
  EXPECT_EQ(config["eos_token_id"], Json::array({0, 2}));
  EXPECT_EQ(config["quantization"], parse_json(R"({"group_size": 32, "bits": 4,
      "lm_head": {"group_size": 32, "bits": 8}})",
                                               ""));
  EXPECT_EQ(config["rope_scaling"], parse_json(R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
      "high_freq_factor": 4.0, "original_max_position_embeddings": 8192})",
                                               ""));
  const Safetensors file = tensors();
  std::vector<float> values = file.weight("model.layers.0.self_attn.q_proj");
  for (const char* name : {"self_attn.q_proj.bias", "mlp.down_proj"}) {
    const std::string full = std::string("model.layers.0.") + name;
    const auto more = full.ends_with("bias") ? file.floats(full) : file.weight(full);
    values.insert(values.end(), more.begin(), more.end());
  }
  EXPECT_EQ(values, expected_values("tiny_llama3"));
  EXPECT_THAT(file.floats("model.layers.0.self_attn.o_proj.bias"), testing::Each(0.0f));
}

TEST_F(ConvertTest, TakesStretchedContextsAndEndsOfTurnsAlong) {
  convert("tiny_yarn", FloatType::kFloat16);
  EXPECT_EQ(json("config.json")["eos_token_id"], Json::array({0, 2}));
  const Json scaling = json("config.json")["rope_scaling"];
  EXPECT_EQ(scaling["rope_type"], "yarn");
  EXPECT_EQ(scaling["factor"], 4.0);
  EXPECT_EQ(scaling["original_max_position_embeddings"], 32);
  EXPECT_NEAR(scaling["attention_factor"].get<double>(), 0.5 * (0.1 * std::log(4.0) + 1), 1e-6);
}

TEST_F(ConvertTest, ReadsAFactorWithoutATypeAsLinear) {
  std::string bytes = altered("tiny_yarn.gguf", "llama.rope.scaling.type", "llama.rope.scaling.typx");
  const std::string attention = "llama.rope.scaling.attn_factor";
  bytes.replace(bytes.find(attention), attention.size(), "llama.rope.scaling.attn_fxctor");
  write_file_atomically(scratch_ / "linear.gguf", bytes);
  convert_gguf({.gguf = scratch_ / "linear.gguf", .output = output_});
  EXPECT_EQ(json("config.json")["rope_scaling"], parse_json(R"({"rope_type": "linear", "factor": 4.0})", ""));
}

TEST_F(ConvertTest, WritesIntoAFolderThatIsThereAndEmpty) {
  fs::create_directories(output_);
  const fs::path before = fs::current_path();
  fs::current_path(output_);
  convert_gguf({.gguf = fs::path(HEARTH_SOURCE_DIR "/src/weights/testdata/tiny_q4_0.gguf"), .output = "."});
  fs::current_path(before);
  EXPECT_EQ(json("config.json")["model_type"], "llama");
  for (const auto& entry : fs::directory_iterator(output_)) EXPECT_FALSE(entry.is_directory()) << entry.path();
}

TEST_F(ConvertTest, WritesTheTokenizer) {
  convert("tiny_q4_0", FloatType::kFloat16);
  const Json tokenizer = json("tokenizer.json");
  EXPECT_EQ(tokenizer["model"]["vocab"]["\u0120ab"], 22);
  EXPECT_EQ(tokenizer["model"]["merges"][2], Json::array({"ab", "c"}));
  EXPECT_EQ(tokenizer["pre_tokenizer"]["pretokenizers"][0]["type"], "Digits");
  EXPECT_TRUE(tokenizer["post_processor"].is_null());
  ASSERT_EQ(tokenizer["added_tokens"].size(), 3u);
  EXPECT_EQ(tokenizer["added_tokens"][1]["special"], true);
  EXPECT_EQ(tokenizer["added_tokens"][2]["special"], false);
  const Json config = json("tokenizer_config.json");
  EXPECT_EQ(config["bos_token"], "<|start|>");
  EXPECT_EQ(config["eos_token"], "<|end|>");
  EXPECT_EQ(config["chat_template"], "{{ messages[0]['content'] }}<|end|>");
  EXPECT_EQ(config["model_max_length"], 128);
}

TEST_F(ConvertTest, AddsTheBeginningTokenWhereTheSplittingRuleImpliesIt) {
  convert("tiny_llama3", FloatType::kFloat16);
  const Json tokenizer = json("tokenizer.json");
  EXPECT_EQ(tokenizer["model"]["ignore_merges"], true);
  EXPECT_EQ(tokenizer["post_processor"]["single"][0]["SpecialToken"]["id"], "<|start|>");
  EXPECT_EQ(tokenizer["post_processor"]["special_tokens"]["<|start|>"]["ids"], Json::array({1}));
}

TEST_F(ConvertTest, RebuildsMergesFromScoresAsTransformersDoes) {
  convert("tiny_spm", FloatType::kFloat16);
  const Json tokenizer = json("tokenizer.json");
  EXPECT_EQ(tokenizer["model"]["merges"], load_json(testdata("tiny_spm.merges.json")));
  EXPECT_EQ(tokenizer["model"]["unk_token"], "<unk>");
  EXPECT_EQ(tokenizer["model"]["byte_fallback"], true);
  EXPECT_EQ(tokenizer["normalizer"]["normalizers"][0]["prepend"], "\u2581");
  EXPECT_EQ(tokenizer["post_processor"]["single"][0]["SpecialToken"]["id"], "<s>");
}

TEST_F(ConvertTest, ReportsProgressUpToTheWhole) {
  uint64_t last = 0, whole = 0;
  const auto report =
      convert_gguf({.gguf = testdata("tiny_q4_0.gguf"), .output = output_, .progress = [&](auto done, auto total) {
                      EXPECT_GT(done, last);
                      last = done;
                      whole = total;
                    }});
  EXPECT_EQ(last, whole);
  EXPECT_EQ(last, report.bytes);
}

TEST_F(ConvertTest, LeavesAnExistingFolderAlone) {
  const auto why = [&] {
    return refusal([&] { convert_gguf({.gguf = testdata("tiny_q4_0.gguf"), .output = output_}); });
  };
  fs::create_directories(output_);
  write_file_atomically(output_ / "mine", "x");
  EXPECT_EQ(why(), output_.string() + ": exists already");
  fs::remove(output_ / "mine");
  EXPECT_EQ(why(), "");
}

TEST_F(ConvertTest, LeavesNothingBehindWhenItFails) {
  const std::pair<std::string, std::string> cases[] = {
      {altered("tiny_q4_0.gguf", "blk.0.attn_q.weight", "blk.0.attn_z.weight"), "blk.0.attn_q.weight: missing tensor"},
      {altered("tiny_q4_0.gguf", "blk.0.ffn_norm", "blk.1.ffn_norm"), "blk.0.ffn_norm.weight: missing tensor"},
      {altered("tiny_llama3.gguf", "blk.0.attn_v.bias", "blk.0.attn_w.bias"), "blk.0.attn_v.bias: missing tensor"},
      {altered("tiny_llama3.gguf", "output.weight", "outpux.weight"),
       "outpux.weight: the architecture llama has no place"},
      {altered("tiny_q4_0.gguf", "llama.block_count", "llama.block_xount"), "llama.block_count: missing"},
      {altered("tiny_qwen3.gguf", "attn_q_norm", "attn_q_nxrm"), "blk.0.attn_q_norm.weight: missing tensor"},
      {altered("tiny_qwen2.gguf", "blk.0.attn_v.bias", "blk.0.attn_w.bias"), "blk.0.attn_v.bias: missing tensor"},
      {altered("tiny_qwen2.gguf", "qwen2", "qwen9"),
       "general.architecture: 'qwen9' cannot be converted, only llama, qwen2 and qwen3"},
      {altered("tiny_q4_0.gguf", "smollm", "smolxx"), "tokenizer.ggml.pre: the splitting rule 'smolxx' is not known"},
      {altered("tiny_q4_0.gguf", "gpt2", "bert"),
       "tokenizer.ggml.model: tokenizers of kind 'bert' cannot be converted"},
      {altered("tiny_q4_0.gguf", "ab c", "ab_c"), "tokenizer.ggml.merges: 'ab_c' is not two pieces"},
      {altered("tiny_q4_0.gguf", "<|user|>", "<|us\xffr|>"), "tokenizer.ggml.tokens: a token is not UTF-8"},
      {altered("tiny_q4_0.gguf", "{{ messages",
               "{{\xff"
               "messages"),
       "tokenizer: holds text for tokenizer_config.json that is not UTF-8"},
      {altered("tiny_yarn.gguf", "llama.rope.scaling.factor", "llama.rope.scaling.fxctor"),
       "llama.rope.scaling.factor: missing"},
      {altered("tiny_yarn.gguf", "llama.rope.scaling.type", "llama.rope.scaling.typx"),
       "llama.rope.scaling.attn_factor: only yarn's can be converted"},
  };
  for (const auto& [bytes, why] : cases) {
    const fs::path gguf = scratch_ / "bad.gguf";
    write_file_atomically(gguf, bytes);
    EXPECT_THAT(refusal([&] { convert_gguf({.gguf = gguf, .output = output_}); }), HasSubstr("bad.gguf: " + why));
    fs::remove(gguf);
    EXPECT_THAT(std::vector<fs::path>(fs::directory_iterator(scratch_.path()), {}), IsEmpty());
  }
}

}  // namespace
}  // namespace hearth::weights
