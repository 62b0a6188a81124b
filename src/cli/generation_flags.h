// The options that `generate` and `chat` share, and the request they make.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "generate/generate.h"
#include "generate/sampling_defaults.h"

namespace hearth::cli {

struct GenerationFlags {
  std::string model;
  std::optional<std::string> system_prompt;  // "" is one too: it replaces the template's own
  std::string chat_template_config;
  std::string tools_file;  // "": none
  std::string tools_json;  // what load() read from it or from the template's config, a JSON array; "": none
  int max_tokens = 256;
  // What fills the sampling numbers that no flag gives: "model", its generation_config.json, or "flags", nothing.
  std::string sampling = "flags";
  std::optional<float> temperature, top_p, min_p, repetition_penalty;
  std::optional<int> top_k, repetition_context;
  generate::SamplerOptions sampler;       // further ones
  generate::ProcessorOptions processors;  // further ones
  std::string logit_bias;
  std::optional<uint64_t> seed;
  std::vector<std::string> stop, extra_eos_tokens;
  int max_kv_size = 0;
  int prefill_step_size = generate::EngineOptions{}.prefill_step_size;
  int threads = 0;

  void declare(CommandLine& line);

  // Checks what needs no model, reads the tools, applies --threads, loads the model and what it says of sampling.
  // Throws std::invalid_argument, LoadError.
  generate::LoadedModel load();
  // Everything of a request but its prompt.
  generate::Request request(const generate::LoadedModel& model) const;
  generate::EngineOptions engine() const;
  generate::ChatOptions chat() const;

 private:
  void check() const;
  void read_tools();
  generate::SamplerOptions filled_sampler() const;
  generate::ProcessorOptions filled_processors() const;

  generate::SamplingDefaults defaults_;
};

// Shows how far a long prompt has been read.
void show_progress(class ProgressLine& line, const generate::PromptProgress& progress);

// The line that says why an answer ended at a limit; nothing where it did not.
std::optional<std::string> limit_note(const generate::Answer& answer, int max_tokens);

// mlx-lm's closing lines: tokens, speeds, peak memory.
std::string statistics(const generate::Answer& answer);

}  // namespace hearth::cli
