// One pass with a bounds-checked cursor: header, metadata, tensor list. Scalars and strings become a JSON object, so
// that ConfigReader's checks serve GGUF too; arrays (vocabularies of 100,000 strings) stay in the file and are decoded
// when asked for. Offsets are verified last, when the place of the data section is known.
#include "weights/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file.h"

namespace hearth::weights {

// Types of metadata values, the format's numbers.
enum class GgufValueType : uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64,
};

// The elements of an array, somewhere in the file.
struct GgufArray {
  GgufValueType element = GgufValueType::kUint8;
  uint64_t count = 0;
  std::span<const std::byte> bytes;
};

namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read as it lies in the file");

constexpr uint64_t kMostMetadata = 4096;    // llama.cpp's converters write about 40
constexpr uint64_t kMostTensors = 1 << 18;  // the largest models have a few thousand
constexpr uint64_t kLongestKey = 1 << 10;
constexpr uint64_t kLongestName = 1 << 8;       // llama.cpp itself stops at 64
constexpr uint64_t kLongestString = 16 << 20;   // a chat template, not more
constexpr uint64_t kLongestMetadata = 1 << 24;  // a vocabulary
constexpr int kDeepestArray = 4;
constexpr uint64_t kLargestExtent = uint64_t{1} << 31;

// Values per block and bytes per block.
struct TypeTraits {
  GgufType type;
  const char* name;
  uint32_t values, bytes;
};

constexpr TypeTraits kTypes[] = {
    {GgufType::kF32, "F32", 1, 4},       {GgufType::kF16, "F16", 1, 2},       {GgufType::kQ4_0, "Q4_0", 32, 18},
    {GgufType::kQ4_1, "Q4_1", 32, 20},   {GgufType::kQ5_0, "Q5_0", 32, 22},   {GgufType::kQ5_1, "Q5_1", 32, 24},
    {GgufType::kQ8_0, "Q8_0", 32, 34},   {GgufType::kQ8_1, "Q8_1", 32, 40},   {GgufType::kQ2_K, "Q2_K", 256, 84},
    {GgufType::kQ3_K, "Q3_K", 256, 110}, {GgufType::kQ4_K, "Q4_K", 256, 144}, {GgufType::kQ5_K, "Q5_K", 256, 176},
    {GgufType::kQ6_K, "Q6_K", 256, 210}, {GgufType::kQ8_K, "Q8_K", 256, 292}, {GgufType::kI8, "I8", 1, 1},
    {GgufType::kI16, "I16", 1, 2},       {GgufType::kI32, "I32", 1, 4},       {GgufType::kI64, "I64", 1, 8},
    {GgufType::kF64, "F64", 1, 8},       {GgufType::kBF16, "BF16", 1, 2},
};

const TypeTraits* find_traits(GgufType type) {
  const auto found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& t) { return t.type == type; });
  return found == std::end(kTypes) ? nullptr : found;
}

// A position in the file that cannot leave it.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  size_t position() const { return position_; }

  std::span<const std::byte> take(uint64_t size, std::string_view what) {
    if (size > bytes_.size() - position_) refuse(what, "the file ends within it");
    const auto taken = bytes_.subspan(position_, size);
    position_ += size;
    return taken;
  }

  template <typename T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  std::string_view string(std::string_view what, uint64_t longest) {
    const auto size = number<uint64_t>(what);
    if (size > longest) refuse(what, fmt::format("a string of {} bytes, {} at most", size, longest));
    const auto text = take(size, what);
    return {reinterpret_cast<const char*>(text.data()), text.size()};
  }

  uint64_t count(std::string_view what, uint64_t most) {
    const auto count = number<uint64_t>(what);
    if (count > most) refuse(what, fmt::format("{} of them, {} at most", count, most));
    return count;
  }

  [[noreturn]] void refuse(std::string_view what, std::string_view reason) const {
    throw LoadError(source_, what, reason);
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& source_;
  size_t position_ = 0;
};

// Bytes of a scalar; 0 for strings, arrays and types that do not exist.
size_t scalar_size(GgufValueType type) {
  constexpr std::array<uint8_t, 13> kSizes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  const auto index = static_cast<size_t>(type);
  return index < kSizes.size() ? kSizes[index] : 0;
}

Json read_scalar(Cursor& cursor, GgufValueType type, std::string_view key) {
  switch (type) {
    case GgufValueType::kUint8: return cursor.number<uint8_t>(key);
    case GgufValueType::kInt8: return cursor.number<int8_t>(key);
    case GgufValueType::kUint16: return cursor.number<uint16_t>(key);
    case GgufValueType::kInt16: return cursor.number<int16_t>(key);
    case GgufValueType::kUint32: return cursor.number<uint32_t>(key);
    case GgufValueType::kInt32: return cursor.number<int32_t>(key);
    case GgufValueType::kFloat32: return cursor.number<float>(key);
    case GgufValueType::kBool: return cursor.number<uint8_t>(key) != 0;
    case GgufValueType::kString: return std::string(cursor.string(key, kLongestString));
    case GgufValueType::kUint64: return cursor.number<uint64_t>(key);
    case GgufValueType::kInt64: return cursor.number<int64_t>(key);
    case GgufValueType::kFloat64: return cursor.number<double>(key);
    case GgufValueType::kArray: break;
  }
  cursor.refuse(key, fmt::format("unknown type of value {}", static_cast<uint32_t>(type)));
}

GgufArray read_array(Cursor& cursor, std::span<const std::byte> file, std::string_view key, int depth = 1) {
  GgufArray array;
  array.element = static_cast<GgufValueType>(cursor.number<uint32_t>(key));
  array.count = cursor.count(key, kLongestMetadata);
  const size_t begin = cursor.position();
  if (const size_t size = scalar_size(array.element)) {
    cursor.take(array.count * size, key);
  } else if (array.element == GgufValueType::kString) {
    for (uint64_t i = 0; i < array.count; ++i) cursor.string(key, kLongestString);
  } else if (array.element == GgufValueType::kArray) {
    if (depth == kDeepestArray) cursor.refuse(key, fmt::format("arrays nested deeper than {}", kDeepestArray));
    for (uint64_t i = 0; i < array.count; ++i) read_array(cursor, file, key, depth + 1);
  } else {
    cursor.refuse(key, fmt::format("unknown type of array element {}", static_cast<uint32_t>(array.element)));
  }
  array.bytes = file.subspan(begin, cursor.position() - begin);
  return array;
}

// A tensor as listed: its bytes are found once the data section's place is known.
struct Listed {
  GgufTensor tensor;
  uint64_t offset = 0;  // from the start of the data section
  uint64_t size = 0;
};

Listed read_tensor_info(Cursor& cursor) {
  Listed listed;
  GgufTensor& tensor = listed.tensor;
  tensor.name = cursor.string("tensor name", kLongestName);
  const auto rank = cursor.number<uint32_t>(tensor.name);
  if (rank < 1 || rank > 4) cursor.refuse(tensor.name, fmt::format("{} dimensions, 1 to 4 are allowed", rank));
  uint64_t values = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    const auto extent = cursor.number<uint64_t>(tensor.name);
    if (extent < 1 || extent >= kLargestExtent || __builtin_mul_overflow(values, extent, &values))
      cursor.refuse(tensor.name, fmt::format("impossible extent {}", extent));
    tensor.shape.insert(tensor.shape.begin(), static_cast<int64_t>(extent));
  }
  tensor.type = static_cast<GgufType>(cursor.number<uint32_t>(tensor.name));
  const TypeTraits* traits = find_traits(tensor.type);
  if (traits == nullptr)
    cursor.refuse(tensor.name, fmt::format("unknown type of tensor {}", static_cast<uint32_t>(tensor.type)));
  if (tensor.shape.back() % traits->values != 0)
    cursor.refuse(tensor.name, fmt::format("rows of {} values cannot be {}", tensor.shape.back(), traits->name));
  if (__builtin_mul_overflow(values / traits->values, uint64_t{traits->bytes}, &listed.size))
    cursor.refuse(tensor.name, "impossible size");
  listed.offset = cursor.number<uint64_t>(tensor.name);
  return listed;
}

}  // namespace

std::string_view name_of(GgufType type) { return find_traits(type)->name; }

GgufBlock block_of(GgufType type) {
  const TypeTraits* traits = find_traits(type);
  return {traits->values, traits->bytes};
}

struct GgufFile::Part {
  Part(std::span<const std::byte> file, std::string name) : bytes(file), source(std::move(name)) {
    Cursor cursor(bytes, source);
    read_header(cursor);
    for (uint64_t i = 0; i < metadata_count; ++i) read_metadata(cursor);
    std::vector<Listed> listed;
    for (uint64_t i = 0; i < tensor_count; ++i) listed.push_back(read_tensor_info(cursor));
    place(listed, cursor.position());
  }

  void read_header(Cursor& cursor) {
    const auto magic = cursor.take(4, "header");
    if (std::memcmp(magic.data(), "GGUF", 4) != 0) throw LoadError(source, "not a GGUF file");
    const auto version = cursor.number<uint32_t>("version");
    if (version != 2 && version != 3) cursor.refuse("version", fmt::format("{} is neither 2 nor 3", version));
    tensor_count = cursor.count("tensors", kMostTensors);
    metadata_count = cursor.count("metadata keys", kMostMetadata);
  }

  void read_metadata(Cursor& cursor) {
    const std::string key(cursor.string("metadata key", kLongestKey));
    if (scalars.contains(key)) cursor.refuse(key, "appears twice");
    const auto type = static_cast<GgufValueType>(cursor.number<uint32_t>(key));
    if (type == GgufValueType::kArray) {
      arrays[key] = read_array(cursor, bytes, key);
      scalars[key] = Json::array();  // so that who wants a single value refuses it
    } else {
      scalars[key] = read_scalar(cursor, type, key);
    }
  }

  // Finds every tensor's bytes and refuses those outside the file or on top of each other.
  void place(std::vector<Listed>& listed, size_t end_of_list) {
    const auto alignment = static_cast<uint64_t>(
        ConfigReader(scalars, source).integer_or("general.alignment", 32, {.min = 1, .max = 1 << 20}));
    if (!std::has_single_bit(alignment)) throw LoadError(source, "general.alignment", "not a power of two");
    const uint64_t begin = std::min<uint64_t>((end_of_list + alignment - 1) & ~(alignment - 1), bytes.size());
    const uint64_t room = bytes.size() - begin;
    std::map<uint64_t, const Listed*> by_offset;
    for (Listed& one : listed) {
      if (one.offset % alignment != 0)
        throw LoadError(source, one.tensor.name, fmt::format("offset not a multiple of {}", alignment));
      if (one.offset > room || one.size > room - one.offset)
        throw LoadError(
            source, one.tensor.name,
            fmt::format("its bytes {} to {} lie outside the file (truncated?)", one.offset, one.offset + one.size));
      one.tensor.bytes = bytes.subspan(begin + one.offset, one.size);
      if (!by_offset.emplace(one.offset, &one).second)
        throw LoadError(source, one.tensor.name, "overlaps another tensor");
    }
    const Listed* previous = nullptr;
    for (const auto& [offset, one] : by_offset) {
      if (previous != nullptr && previous->offset + previous->size > offset)
        throw LoadError(source, one->tensor.name, fmt::format("overlaps {}", previous->tensor.name));
      previous = one;
    }
    std::set<std::string_view> names;
    for (Listed& one : listed) {
      if (!names.insert(one.tensor.name).second) throw LoadError(source, one.tensor.name, "appears twice");
      tensors.push_back(std::move(one.tensor));
    }
  }

  // How many files the model is split into, and which of them this is, from 0.
  int split_count() const {
    return ConfigReader(scalars, source).integer_or("split.count", 1, {.min = 0, .max = 65535});
  }
  int split_number() const { return ConfigReader(scalars, source).integer_or("split.no", 0, {.min = 0, .max = 65534}); }

  const GgufArray* find_array(std::string_view key) const {
    const auto found = arrays.find(key);
    if (found != arrays.end()) return &found->second;
    if (scalars.contains(key)) throw LoadError(source, key, "not an array");
    return nullptr;
  }

  std::unique_ptr<MappedFile> file;  // unless read from memory
  std::span<const std::byte> bytes;
  std::string source;
  uint64_t tensor_count = 0, metadata_count = 0;
  Json scalars = Json::object();  // and an empty array in place of each array
  std::map<std::string, GgufArray, std::less<>> arrays;
  std::vector<GgufTensor> tensors;
};

namespace {

// The file name of part `number` (from 0) of the split model that `path` is part of.
std::filesystem::path path_of_part(const std::filesystem::path& path, int number, int count) {
  const std::string name = path.filename().string();
  const std::string end = fmt::format("-of-{:05}.gguf", count);
  const size_t digits = name.size() - std::min(name.size(), end.size() + 5);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!name.ends_with(end) || digits == 0 || name[digits - 1] != '-' ||
      !std::all_of(name.begin() + digits, name.begin() + digits + 5, is_digit))
    throw LoadError(
        path.string(), "split.count",
        fmt::format("one of {} files, but its name does not end in -00001-of-{:05}.gguf or the like", count, count));
  return path.parent_path() / fmt::format("{}{:05}{}", name.substr(0, digits), number + 1, end);
}

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path) {
  const auto open = [this](const std::filesystem::path& part) {
    auto file = std::make_unique<MappedFile>(part);
    parts_.push_back(std::make_unique<Part>(file->bytes(), part.string()));
    parts_.back()->file = std::move(file);
  };
  open(path);
  if (const int count = parts_[0]->split_count(); count > 1) {
    parts_.clear();
    for (int i = 0; i < count; ++i) {
      const std::filesystem::path part = path_of_part(path, i, count);
      if (!is_present(part)) throw LoadError(part.string(), fmt::format("missing: part {} of {}", i + 1, count));
      open(part);
    }
  }
  join();
}

GgufFile::GgufFile(std::span<const std::byte> bytes, std::string source)
    : GgufFile(std::span<const std::span<const std::byte>>(&bytes, 1), source) {}

GgufFile::GgufFile(std::span<const std::span<const std::byte>> parts, const std::string& source) {
  for (const std::span<const std::byte> bytes : parts) parts_.push_back(std::make_unique<Part>(bytes, source));
  join();
}

GgufFile::~GgufFile() = default;

void GgufFile::join() {
  const auto count = static_cast<int>(parts_.size());
  for (int i = 0; i < count; ++i) {
    const Part& part = *parts_[static_cast<size_t>(i)];
    if (std::max(part.split_count(), 1) != count)
      throw LoadError(part.source, "split.count", fmt::format("{}, but there are {} files", part.split_count(), count));
    if (part.split_number() != i)
      throw LoadError(part.source, "split.no",
                      fmt::format("this is part {}, not part {}", part.split_number() + 1, i + 1));
    require_same_model(part);
    for (const GgufTensor& tensor : part.tensors) {
      if (!index_.emplace(tensor.name, tensors_.size()).second)
        throw LoadError(part.source, tensor.name, "also in another part of the model");
      tensors_.push_back(tensor);
    }
  }
  const auto all = metadata().optional_integer("split.tensors.count", {.min = 0, .max = INT32_MAX});
  if (all && static_cast<size_t>(*all) != tensors_.size())
    throw LoadError(source(), "split.tensors.count", fmt::format("{}, but the parts have {}", *all, tensors_.size()));
}

// Parts after the first hold little metadata; what they do hold must be the first's.
void GgufFile::require_same_model(const Part& part) const {
  const Json& first = parts_[0]->scalars;
  for (const auto& [key, value] : part.scalars.items())
    if (const auto found = first.find(key); key != "split.no" && found != first.end() && *found != value)
      throw LoadError(part.source, key, "differs from the first part's: not a part of the same model");
}

ConfigReader GgufFile::metadata() const { return ConfigReader(parts_[0]->scalars, source()); }
const std::vector<GgufTensor>& GgufFile::tensors() const { return tensors_; }
const std::string& GgufFile::source() const { return parts_[0]->source; }

const GgufTensor* GgufFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

std::vector<std::string_view> GgufFile::strings(std::string_view key) const {
  const GgufArray* array = parts_[0]->find_array(key);
  if (array == nullptr) return {};
  if (array->element != GgufValueType::kString) throw LoadError(source(), key, "not an array of strings");
  Cursor cursor(array->bytes, source());
  std::vector<std::string_view> strings;
  strings.reserve(array->count);
  for (uint64_t i = 0; i < array->count; ++i) strings.push_back(cursor.string(key, kLongestString));
  return strings;
}

std::vector<double> GgufFile::numbers(std::string_view key) const {
  const GgufArray* array = parts_[0]->find_array(key);
  if (array == nullptr) return {};
  if (scalar_size(array->element) == 0) throw LoadError(source(), key, "not an array of numbers");
  Cursor cursor(array->bytes, source());
  std::vector<double> numbers;
  numbers.reserve(array->count);
  for (uint64_t i = 0; i < array->count; ++i) {
    const Json value = read_scalar(cursor, array->element, key);
    numbers.push_back(value.is_boolean() ? value.get<bool>() : value.get<double>());
  }
  return numbers;
}

}  // namespace hearth::weights
