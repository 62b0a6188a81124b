// NumPy's format 1.0 to 3.0: a Python dictionary in text, padded to 64 bytes, then the elements. bfloat16, which NumPy
// lacks, is stored as two raw bytes ("V2"), as MLX does.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "core/io.h"
#include "core/ops/shape.h"

namespace hearth::core {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct NamedType {
  const char* name;  // without byte order
  Dtype dtype;
};
constexpr NamedType kTypes[] = {
    {"b1", bool_},   {"u1", uint8},   {"u2", uint16},   {"u4", uint32},    {"u8", uint64},
    {"i1", int8},    {"i2", int16},   {"i4", int32},    {"i8", int64},     {"f2", float16},
    {"f4", float32}, {"f8", float64}, {"V2", bfloat16}, {"c8", complex64},
};

std::string descr(Dtype dtype) {
  for (const NamedType& t : kTypes) {
    if (t.dtype == dtype) return (t.dtype.size() == 1 || t.dtype == bfloat16 ? "|" : "<") + std::string(t.name);
  }
  return "";
}

// The text after 'key': in the dictionary.
std::string_view value_of(std::string_view header, std::string_view key, const std::string& file) {
  const size_t at = header.find(key);
  if (at == header.npos) throw LoadError(file, "its header lacks " + std::string(key));
  std::string_view rest = header.substr(at + key.size());
  const size_t colon = rest.find(':');
  if (colon == rest.npos) throw LoadError(file, "its header is damaged");
  rest.remove_prefix(colon + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

Dtype parse_type(std::string_view value, const std::string& file) {
  for (const NamedType& t : kTypes) {
    for (const char* order : {"<", "|", "="}) {
      if (value.starts_with("'" + std::string(order) + t.name + "'")) return t.dtype;
    }
  }
  throw LoadError(file, "its element type " + std::string(value.substr(0, 8)) + " is not supported");
}

Shape parse_shape(std::string_view value, const std::string& file) {
  const size_t end = value.find(')');
  if (!value.starts_with("(") || end == value.npos) throw LoadError(file, "its shape is damaged");
  Shape shape;
  int64_t n = -1;
  for (char c : value.substr(1, end)) {
    if (c >= '0' && c <= '9') {
      n = std::max<int64_t>(n, 0) * 10 + (c - '0');
      if (n > INT32_MAX || shape.size() > 16) throw LoadError(file, "its shape is too large");
    } else if (c == ',' || c == ')') {
      if (n >= 0) shape.push_back(static_cast<ShapeElem>(n));
      n = -1;
    } else if (c != ' ' && c != 'L') {
      throw LoadError(file, "its shape is damaged");
    }
  }
  return shape;
}

}  // namespace

array load(std::string file, StreamOrDevice s) {
  const std::string content = read_file(file, size_t{1} << 40);
  const std::string_view bytes = content;
  if (!bytes.starts_with(kMagic) || bytes.size() < 12) throw LoadError(file, "it is not a .npy file");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(bytes[i])); };
  const bool wide = byte(6) >= 2;
  const size_t begin = wide ? 12 : 10;
  const size_t length = wide ? byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24 : byte(8) | byte(9) << 8;
  if (length > bytes.size() - begin) throw LoadError(file, "its header does not fit the file");
  const std::string_view header = bytes.substr(begin, length);
  const Dtype dtype = parse_type(value_of(header, "'descr'", file), file);
  const bool columns_first = value_of(header, "'fortran_order'", file).starts_with("True");
  Shape shape = parse_shape(value_of(header, "'shape'", file), file);
  size_t expected = dtype.size();
  bool empty = false;
  for (ShapeElem n : shape) {
    empty |= n == 0;
    if (__builtin_mul_overflow(expected, static_cast<size_t>(std::max(n, 1)), &expected) || expected >> 47)
      throw LoadError(file, "its shape is too large");
  }
  if (empty) expected = 0;
  const std::string_view data = bytes.substr(begin + length);
  if (data.size() < expected) {
    throw LoadError(
        file, "its shape needs " + std::to_string(expected) + " bytes, the file has " + std::to_string(data.size()));
  }
  StoragePtr storage = Storage::allocate(expected);
  if (dtype == bool_) {  // bytes other than 0 and 1 are no truth values to C++
    std::transform(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(expected),
                   static_cast<bool*>(storage->data()), [](char c) { return c != 0; });
  } else {
    std::memcpy(storage->data(), data.data(), expected);
  }
  if (!columns_first) return array(std::move(storage), std::move(shape), dtype);
  std::reverse(shape.begin(), shape.end());
  return transpose(array(std::move(storage), std::move(shape), dtype), s);
}

void save(std::string file, array a) {
  if (!file.ends_with(".npy")) file += ".npy";
  a = contiguous(a);
  std::string header = "{'descr': '" + descr(a.dtype()) + "', 'fortran_order': False, 'shape': (";
  for (ShapeElem n : a.shape()) header += std::to_string(n) + (a.ndim() == 1 ? "," : ", ");
  if (a.ndim() > 1) header.resize(header.size() - 2);
  header += "), }";
  header.resize((header.size() + 10 + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  AtomicFileWriter writer(file);
  writer.write(kMagic);
  writer.write(std::string{1, 0, static_cast<char>(header.size()), static_cast<char>(header.size() >> 8)});
  writer.write(header);
  writer.write(std::span(a.data<std::byte>(), a.nbytes()));
  writer.commit();
}

}  // namespace hearth::core
