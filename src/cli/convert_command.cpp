#include <fmt/format.h>
#include <signal.h>

#include <stdexcept>

#include "cli/commands.h"
#include "cli/environment.h"
#include "weights/convert.h"

namespace hearth::cli {
namespace {

constexpr const char* kConvertExamples =
    R"(  hearth convert --gguf model.Q4_1.gguf --mlx-path model
  hearth convert --gguf model.gguf --mlx-path model-bfloat16 --dtype bfloat16
)";

weights::FloatType float_type(const std::string& name) {
  if (name == "float16") return weights::FloatType::kFloat16;
  if (name == "bfloat16") return weights::FloatType::kBFloat16;
  if (name == "float32") return weights::FloatType::kFloat32;
  throw std::invalid_argument("--dtype must be float16, bfloat16 or float32.");
}

}  // namespace

int run_convert(const Arguments& arguments) {
  std::string gguf, output = "mlx_model", dtype = "float16";
  CommandLine line("convert", "Writes a GGUF of the Llama architecture as a folder in MLX's format.", kConvertExamples);
  line.required("--gguf", gguf, "GGUF file");
  line.option("--mlx-path", output, "Folder to write; it must not exist or be empty [mlx_model]");
  line.option("--dtype", dtype, "Type of what is not quantized: float16, bfloat16, float32 [float16]");
  if (!line.parse(arguments)) return 0;

  catch_interrupts({SIGINT, SIGTERM, SIGHUP});  // so that what has been written under a temporary name goes
  ProgressLine progress;
  const weights::ConvertReport report = weights::convert_gguf(
      {.gguf = gguf, .output = output, .dtype = float_type(dtype), .progress = [&](uint64_t done, uint64_t total) {
         if (interrupted) throw std::runtime_error("Interrupted; nothing was written.");
         progress.show(fmt::format("Converting: {:.0f} of {:.0f} MB", static_cast<double>(done) / 1e6,
                                   static_cast<double>(total) / 1e6));
       }});
  progress.clear();
  print_now(fmt::format("{}: {} tensors, {:.1f} MB, {:.3f} bits per weight\n", output, report.tensors,
                        static_cast<double>(report.bytes) / 1e6, report.bits_per_weight));
  if (report.rounded)
    print_now("Weights or scales were rounded to " + dtype + "; --dtype float32 keeps all as they are.\n");
  return 0;
}

}  // namespace hearth::cli
