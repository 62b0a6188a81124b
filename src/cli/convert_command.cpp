#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <string>

#include "cli/commands.h"
#include "cli/environment.h"
#include "weights/convert.h"

namespace hearth::cli {
namespace {

constexpr const char* kConvertExamples =
    R"(  hearth convert --gguf model.Q4_1.gguf --mlx-path model
  hearth convert --gguf model.gguf --mlx-path model-bfloat16 --dtype bfloat16
  hearth convert --gguf model.Q4_K_M.gguf --mlx-path model --requantize 8
  hearth convert --gguf model-00001-of-00003.gguf --mlx-path model
)";

weights::FloatType float_type(const std::string& name) {
  if (name == "float16") return weights::FloatType::kFloat16;
  if (name == "bfloat16") return weights::FloatType::kBFloat16;
  if (name == "float32") return weights::FloatType::kFloat32;
  throw std::invalid_argument("--dtype must be float16, bfloat16 or float32.");
}

std::string megabytes(uint64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

// One line on what became of the matrices of a type, and what was lost.
std::string summary(const weights::ConvertedType& type, const std::string& dtype) {
  std::string text = fmt::format("  {}: {} {}, {}, as ", type.name, type.matrices,
                                 type.matrices == 1 ? "matrix" : "matrices", megabytes(type.bytes_before));
  text += type.bits == 0 ? dtype : fmt::format("{} bits in groups of 32", type.bits);
  if (type.requantized) text += " quantized anew";
  text += fmt::format(", {}: ", megabytes(type.bytes));
  text += type.loss == 0 ? "nothing lost" : fmt::format("{:.1g} of the weights' size lost", type.loss);
  if (type.loss > 0 && !type.requantized) {
    text += " by rounding" + std::string(type.bits == 0 ? "" : " scales") + " to " + dtype;
    if (dtype != "float32") text += "; --dtype float32 keeps all";
  }
  const uint64_t bits = dtype == "float32" ? 10 : 9;  // 8 of codes, the rest scales and biases
  if (type.could_be_requantized) text += "; --requantize 8 makes it " + megabytes(type.numbers * bits / 8);
  return text + "\n";
}

}  // namespace

int run_convert(const Arguments& arguments) {
  std::string gguf, output = "mlx_model", dtype = "float16";
  std::optional<int> requantize;
  CommandLine line("convert",
                   "Writes a GGUF as a folder in MLX's format; docs/convert.md says of which architectures and types.",
                   kConvertExamples);
  line.required("--gguf", gguf, "GGUF file; of a split model, any one of its parts");
  line.option("--mlx-path", output, "Folder to write; it must not exist or be empty [mlx_model]");
  line.option("--dtype", dtype, "Type of scales and of what is not quantized: float16, bfloat16, float32 [float16]");
  line.option("--requantize", requantize,
              "Bits (2, 3, 4, 5, 6, 8) for Q2_K, Q3_K and Q6_K, whose groups of 16 MLX lacks; without it they become "
              "numbers of --dtype");
  if (!line.parse(arguments)) return 0;
  if (requantize && !std::ranges::count(std::array{2, 3, 4, 5, 6, 8}, *requantize))
    throw std::invalid_argument("--requantize must be 2, 3, 4, 5, 6 or 8.");

  catch_interrupts({SIGINT, SIGTERM, SIGHUP});  // so that what has been written under a temporary name goes
  ProgressLine progress;
  const weights::ConvertReport report = weights::convert_gguf(
      {.gguf = gguf,
       .output = output,
       .dtype = float_type(dtype),
       .requantize_bits = requantize.value_or(0),
       .progress = [&](uint64_t done, uint64_t total) {
         if (interrupted) throw std::runtime_error("Interrupted; nothing was written.");
         progress.show(fmt::format("Converting: {:.0f} of {:.0f} MB", static_cast<double>(done) / 1e6,
                                   static_cast<double>(total) / 1e6));
       }});
  progress.clear();
  std::string text = fmt::format("{}: {} tensors, {}, {:.3f} bits per weight\n", output, report.tensors,
                                 megabytes(report.bytes), report.bits_per_weight);
  for (const weights::ConvertedType& type : report.types) text += summary(type, dtype);
  print_now(text);
  return 0;
}

}  // namespace hearth::cli
