#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/ledger.h"
#include "core/mx.h"

namespace hearth::core {
namespace {

class Files : public ::testing::Test {
 protected:
  Files() : folder_(std::filesystem::temp_directory_path() / ("hearth_io_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Files() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  std::string write(const char* name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  // A safetensors file with this header and `data` bytes behind it.
  std::string with_header(std::string_view header, size_t data) const {
    std::string content(8, '\0');
    for (int i = 0; i < 8; ++i) content[i] = static_cast<char>(header.size() >> 8 * i);
    return write("x.safetensors", content + std::string(header) + std::string(data, '\1'));
  }
  std::filesystem::path folder_;
};

bool same(const array& a, const array& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && array_equal(a, b).item<bool>();
}

TEST_F(Files, SafetensorsComeBackAsTheyWere) {
  std::unordered_map<std::string, array> arrays;
  for (Dtype t : {bool_, uint8, int16, int64, float16, bfloat16, float32, float64}) {
    arrays.emplace(dtype_to_string(t), astype(reshape(arange(15), {3, 5}), t));
  }
  arrays.emplace("scalar", array(7));
  arrays.emplace("empty", zeros({0, 4}));
  arrays.emplace("transposed", transpose(reshape(arange(6), {2, 3})));
  save_safetensors(path("a.safetensors"), arrays, {{"format", "mlx"}});
  const auto [loaded, metadata] = load_safetensors(path("a.safetensors"));
  EXPECT_EQ(metadata.at("format"), "mlx");
  ASSERT_EQ(loaded.size(), arrays.size());
  for (const auto& [name, value] : arrays) EXPECT_TRUE(same(loaded.at(name), value)) << name;
}

TEST_F(Files, MappedTensorsCostNoMemoryAndStandInTheLedger) {
  save_safetensors(path("a.safetensors"), {{"w", zeros({1000, 1000})}});
  const size_t active = get_active_memory(), entered = Ledger::global().bytes(Ledger::Account::weights);
  {
    const auto loaded = load_safetensors(path("a.safetensors")).first;
    EXPECT_EQ(get_active_memory(), active);
    EXPECT_GE(Ledger::global().bytes(Ledger::Account::weights), entered + 4'000'000);
  }
  EXPECT_EQ(Ledger::global().bytes(Ledger::Account::weights), entered);
}

TEST_F(Files, TensorsAreUsedWhereTheyLieWhateverTheirAlignment) {
  const std::string file = with_header(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})",
      9);
  const auto loaded = load_safetensors(file).first;
  const array a = loaded.at("a"), b = loaded.at("b");
  EXPECT_EQ(b.data<std::byte>(), a.data<std::byte>() + 1);
  EXPECT_EQ(std::memcmp(b.data<std::byte>(), "\1\1\1\1\1\1\1\1", 8), 0);
}

struct Bad {
  const char* header;
  const char* says;
};

TEST_F(Files, BadHeadersAreRefusedByTheirTensorsName) {
  const Bad bad[] = {
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99]}})", "a: its data at 0..99 lie outside"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "a: its data at 8..0"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "a: its shape needs 12 bytes"},
      {R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", "a: its dtype F33 is unknown"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}})",
       "a: its shape is too large"},
      {R"({"a":{"dtype":"U8","shape":[2147483647,2147483647,0],"data_offsets":[0,0]}})", "a: its shape is too large"},
      {R"({"a":{"dtype":"U8","shape":[0,2147483647,2147483647,2147483647],"data_offsets":[0,0]}})",
       "a: its shape is too large"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "a: its entry holds a negative number"},
      {R"({"a":{"dtype":"F32","shape":[2]}})", "a: its entry lacks"},
      {R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]}})",
       "overlaps"},
      {R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[2],"data_offsets":[8,10]}})",
       "a: it is in the file twice"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})", "not JSON"},
      {R"({"a":[1,2]})", "a: its entry holds an array"},
      {R"([1])", "does not begin"},
      {"", "does not begin"},
  };
  for (const Bad& b : bad) {
    const std::string file = with_header(b.header, 10);
    try {
      load_safetensors(file);
      ADD_FAILURE() << "accepted " << b.header;
    } catch (const LoadError& error) {
      EXPECT_NE(std::string(error.what()).find(b.says), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(file), std::string::npos);
    }
  }
}

TEST_F(Files, ForeignTruthValuesBecomeOnesAndZeros) {
  std::string file = with_header(R"({"a":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}})", 0);
  std::ofstream(file, std::ios::binary | std::ios::app) << std::string("\0\1\2\xff", 4);
  const array a = load_safetensors(file).first.at("a");
  EXPECT_EQ(a.dtype(), bool_);
  EXPECT_EQ(std::memcmp(a.data<std::byte>(), "\0\1\1\1", 4), 0);
  save(path("a.npy"), a);
  std::string npy = read_file(path("a.npy"));
  npy.replace(npy.size() - 2, 2, "\2\xff");
  EXPECT_EQ(std::memcmp(load(write("b.npy", npy)).data<std::byte>(), "\0\1\1\1", 4), 0);
}

TEST_F(Files, FilesCutAnywhereAreRefused) {
  save_safetensors(path("a.safetensors"), {{"w", arange(30.0)}, {"b", arange(7)}});
  const std::string whole = read_file(path("a.safetensors"));
  for (size_t n = 0; n < whole.size(); n += 1 + n / 16) {
    EXPECT_THROW(load_safetensors(write("cut.safetensors", whole.substr(0, n))), LoadError) << n;
  }
  EXPECT_THROW(load_safetensors(path("absent.safetensors")), LoadError);
}

TEST_F(Files, NpyComesBackAsItWas) {
  for (Dtype t : {bool_, uint8, int32, float16, bfloat16, float32, float64, complex64}) {
    for (const Shape& shape : {Shape{}, Shape{12}, Shape{3, 4}, Shape{0, 2}}) {
      const array a = shape.empty() ? array(3, t) : astype(reshape(arange(shape[0] ? 12 : 0), shape), t);
      save(path("a.npy"), a);
      EXPECT_TRUE(same(load(path("a.npy")), a)) << t << shape;
    }
  }
  EXPECT_THROW(load(write("b.npy", "\x93NUMPY\1")), LoadError);
  for (const char* shape : {"(2147483647, 2147483647, 0)", "(0, 2147483647, 2147483647, 2147483647)"}) {
    const std::string header = std::string("{'descr': '|u1', 'fortran_order': False, 'shape': ") + shape + "}";
    const std::string head{1, 0, static_cast<char>(header.size()), 0};
    EXPECT_THROW(load(write("d.npy", "\x93NUMPY" + head + header)), LoadError);
  }
  EXPECT_THROW(load(write("c.npy", std::string("\x93NUMPY\1\0\x05\0", 10) + "{'x'}")), LoadError);
}

}  // namespace
}  // namespace hearth::core
