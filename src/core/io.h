// Arrays in files: safetensors and NumPy's .npy.
//
// Safetensors are mapped, not read: the arrays see the file's own pages, which must not change while any of them lives.
// MLX does not pad its headers, so a tensor may start at any byte; it is used where it lies. Every length, offset,
// overlap and dtype of the header is checked first. Source: mlx/io.h; https://huggingface.co/docs/safetensors; NEP 1.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/array.h"
#include "core/stream.h"

namespace hearth::core {

using SafetensorsLoad = std::pair<std::unordered_map<std::string, array>, std::unordered_map<std::string, std::string>>;

// Tensors by name, and the file's metadata. Throws LoadError naming the file and, where one is at fault, the tensor.
SafetensorsLoad load_safetensors(const std::string& file, StreamOrDevice s = {});

// Evaluates the arrays and writes them in the order of their names; a crash leaves the old file or the new one.
void save_safetensors(std::string file, std::unordered_map<std::string, array> arrays,
                      std::unordered_map<std::string, std::string> metadata = {});

// One array, .npy. Throws LoadError.
array load(std::string file, StreamOrDevice s = {});
void save(std::string file, array a);

// One tensor of a safetensors header; begin and end are bytes from the start of the file.
struct SafetensorsEntry {
  std::string name;
  Dtype dtype;
  Shape shape;
  size_t begin, end;
};
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> tensors;  // by begin
  std::unordered_map<std::string, std::string> metadata;
};

// Checks and reads the header at the start of `bytes`, of a file of `file_size` bytes called `file`. Throws LoadError.
SafetensorsHeader parse_safetensors_header(std::string_view bytes, size_t file_size, const std::string& file);

}  // namespace hearth::core
