// The header is read in one pass by a handler that knows the format's few shapes of JSON, so a file with a hundred
// thousand tensors costs no tree and no quadratic key search. Arrays point into the mapping, which ends with the last
// of them; the ledger counts the mapping as weights.
#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/ledger.h"
#include "core/eval.h"
#include "core/io.h"
#include "core/ops/elementwise.h"
#include "core/ops/shape.h"

namespace hearth::core {

namespace {

constexpr size_t kMaxHeader = 100'000'000;  // the format's own limit
constexpr size_t kMaxRank = 16;
constexpr size_t kMaxBytes = size_t{1} << 47;  // of a tensor; axes of length zero do not excuse the others

struct NamedType {
  const char* name;
  Dtype dtype;
};
constexpr NamedType kTypes[] = {
    {"BOOL", bool_},  {"U8", uint8},      {"I8", int8},     {"U16", uint16},    {"I16", int16},
    {"F16", float16}, {"BF16", bfloat16}, {"U32", uint32},  {"I32", int32},     {"F32", float32},
    {"U64", uint64},  {"I64", int64},     {"F64", float64}, {"C64", complex64}, {"F8_E4M3", uint8},
};

std::optional<Dtype> type_named(const std::string& name) {
  for (const NamedType& t : kTypes) {
    if (name == t.name) return t.dtype;
  }
  return std::nullopt;
}

const char* name_of(Dtype dtype) {
  for (const NamedType& t : kTypes) {
    if (t.dtype == dtype) return t.name;
  }
  return "";
}

// Receives the header's JSON:
//   {"name": {"dtype": s, "shape": [n...], "data_offsets": [n, n]}..., "__metadata__": {s: s...}}
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(const std::string& file, size_t data_begin, size_t file_size)
      : file_(file), data_begin_(data_begin), file_size_(file_size) {}

  SafetensorsHeader take() {
    std::sort(header_.tensors.begin(), header_.tensors.end(),
              [](const auto& a, const auto& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    for (size_t i = 1; i < header_.tensors.size(); ++i) {
      if (header_.tensors[i].begin < header_.tensors[i - 1].end) {
        fail(header_.tensors[i].name, "its data overlaps that of " + header_.tensors[i - 1].name);
      }
    }
    return std::move(header_);
  }

  bool null() override {
    if (depth_ == 1 && name_ == "__metadata__") return true;  // as MLX writes it when there is none
    return unexpected("null");
  }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a fraction"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ != 3) return unexpected("a number");
    if (numbers_.size() == kMaxRank) fail(name_, field_ + " is too long");
    numbers_.push_back(value);
    return true;
  }

  bool string(string_t& value) override {
    if (depth_ != 2) return unexpected("a string");
    if (in_metadata_) {
      header_.metadata[field_] = std::move(value);
    } else if (field_ == "dtype") {
      dtype_ = type_named(value);
      if (!dtype_) fail(name_, "its dtype " + value.substr(0, 32) + " is unknown");
    } else {
      return unexpected("a string");
    }
    return true;
  }

  bool key(string_t& value) override {
    (depth_ == 1 ? name_ : field_) = std::move(value);
    return true;
  }

  bool start_object(size_t) override {
    if (depth_ > 1) return unexpected("an object");
    if (++depth_ == 2) {
      in_metadata_ = name_ == "__metadata__";
      dtype_.reset();
      shape_.reset();
      offsets_.reset();
    }
    return true;
  }

  bool end_object() override {
    if (depth_-- == 2 && !in_metadata_) finish_tensor();
    return true;
  }

  bool start_array(size_t) override {
    if (depth_ != 2 || in_metadata_ || (field_ != "shape" && field_ != "data_offsets")) return unexpected("an array");
    ++depth_;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    --depth_;
    (field_ == "shape" ? shape_ : offsets_) = numbers_;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    throw LoadError(file_, "its header is not JSON at byte " + std::to_string(8 + position));
  }

 private:
  [[noreturn]] void fail(const std::string& key, const std::string& reason) { throw LoadError(file_, key, reason); }

  bool unexpected(const char* what) {
    if (name_.empty())
      throw LoadError(file_, std::string("its header holds ") + what + " where an object of tensors belongs");
    fail(name_, std::string("its entry holds ") + what + " where none belongs");
  }

  void finish_tensor() {
    if (!dtype_ || !shape_ || !offsets_) fail(name_, "its entry lacks dtype, shape or data_offsets");
    Shape shape;
    size_t bytes = dtype_->size();
    bool empty = false;
    for (uint64_t n : *shape_) {
      empty |= n == 0;
      if (n > INT32_MAX || __builtin_mul_overflow(bytes, std::max<uint64_t>(n, 1), &bytes) || bytes > kMaxBytes) {
        fail(name_, "its shape is too large");
      }
      shape.push_back(static_cast<ShapeElem>(n));
    }
    if (empty) bytes = 0;
    if (offsets_->size() != 2) fail(name_, "its data_offsets are not two numbers");
    const uint64_t begin = (*offsets_)[0], end = (*offsets_)[1];
    if (begin > end || end > file_size_ - data_begin_) {
      fail(name_, "its data at " + std::to_string(begin) + ".." + std::to_string(end) + " lie outside the file's " +
                      std::to_string(file_size_ - data_begin_) + " bytes");
    }
    if (end - begin != bytes) {
      fail(name_, "its shape needs " + std::to_string(bytes) + " bytes, the file has " + std::to_string(end - begin));
    }
    header_.tensors.push_back({std::move(name_), *dtype_, std::move(shape), data_begin_ + begin, data_begin_ + end});
    name_.clear();
  }

  const std::string& file_;
  size_t data_begin_, file_size_;
  SafetensorsHeader header_;
  int depth_ = 0;
  bool in_metadata_ = false;
  std::string name_, field_;
  std::optional<Dtype> dtype_;
  std::optional<std::vector<uint64_t>> shape_, offsets_;
  std::vector<uint64_t> numbers_;
};

uint64_t little_endian(const char* bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// A file that arrays see, and its place in the ledger.
struct Mapping {
  explicit Mapping(const std::string& file) : mapped(file), entry(Ledger::Account::weights, mapped.bytes().size()) {}
  MappedFile mapped;
  LedgerEntry entry;
};

// MLX does not pad its header, so tensors may begin at any byte. They are used where they lie: copying would cost a
// read of the whole file at load, and x86 reads across alignment at full speed. Only truth values that C++ would not
// read as such (bytes other than 0 and 1) are made into proper ones.
array tensor_in(const std::shared_ptr<Mapping>& mapping, const SafetensorsEntry& tensor) {
  const std::byte* from = mapping->mapped.bytes().data() + tensor.begin;
  const auto is_bool = [](std::byte b) { return b <= std::byte{1}; };
  if (tensor.dtype == bool_ && !std::all_of(from, from + (tensor.end - tensor.begin), is_bool)) {
    return not_equal(array(const_cast<std::byte*>(from), tensor.shape, uint8, [mapping](void*) {}), array(0, uint8));
  }
  // The engine never writes to memory it does not own.
  return array(const_cast<std::byte*>(from), tensor.shape, tensor.dtype, [mapping](void*) {});
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view bytes, size_t file_size, const std::string& file) {
  if (bytes.size() < 8) throw LoadError(file, "it is too short for a safetensors file");
  const uint64_t length = little_endian(bytes.data());
  if (length > kMaxHeader || length > bytes.size() - 8 || file_size < 8 + length) {
    throw LoadError(file, "its header of " + std::to_string(length) + " bytes does not fit the file");
  }
  const std::string_view text = bytes.substr(8, length);
  if (text.empty() || text[0] != '{') throw LoadError(file, "its header does not begin with {");
  HeaderReader reader(file, 8 + length, file_size);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  SafetensorsHeader header = reader.take();
  std::vector<std::string_view> names;
  for (const SafetensorsEntry& tensor : header.tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) throw LoadError(file, *twice, "it is in the file twice");
  return header;
}

SafetensorsLoad load_safetensors(const std::string& file, StreamOrDevice) {
  const auto mapping = std::make_shared<Mapping>(file);
  const auto bytes = mapping->mapped.bytes();
  SafetensorsHeader header =
      parse_safetensors_header({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, bytes.size(), file);
  SafetensorsLoad loaded;
  loaded.first.reserve(header.tensors.size());
  for (SafetensorsEntry& tensor : header.tensors) {
    array value = tensor_in(mapping, tensor);
    loaded.first.emplace(std::move(tensor.name), std::move(value));
  }
  loaded.second = std::move(header.metadata);
  return loaded;
}

void save_safetensors(std::string file, std::unordered_map<std::string, array> arrays,
                      std::unordered_map<std::string, std::string> metadata) {
  if (!file.ends_with(".safetensors")) file += ".safetensors";
  std::vector<std::pair<std::string, array>> sorted;
  for (auto& [name, value] : arrays) sorted.emplace_back(name, contiguous(value));
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = std::map<std::string, std::string>(metadata.begin(), metadata.end());
  size_t offset = 0;
  for (const auto& [name, value] : sorted) {
    const std::vector<int> shape(value.shape().begin(), value.shape().end());
    // Appended, because looking a key up walks over all of them.
    header.get_ref<nlohmann::ordered_json::object_t&>().push_back(
        {name,
         {{"dtype", name_of(value.dtype())}, {"shape", shape}, {"data_offsets", {offset, offset + value.nbytes()}}}});
    offset += value.nbytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i) length[i] = static_cast<char>(text.size() >> 8 * i);
  AtomicFileWriter writer(file);
  writer.write(length);
  writer.write(text);
  for (auto& [name, value] : sorted) {
    writer.write(std::span(value.data<std::byte>(), value.nbytes()));
  }
  writer.commit();
}

}  // namespace hearth::core
